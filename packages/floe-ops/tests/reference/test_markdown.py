"""What people wrote stays within its cell."""

from __future__ import annotations

from floe_ops.reference.markdown import cell, code, table
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_a_cell_ends_where_it_should_and_begins_no_tag(text: str) -> None:
    made = cell(text)
    assert "\n" not in made
    assert "|" not in made.replace("\\|", "")
    outside = "".join(made.split("`")[::2]) if made.count("`") % 2 == 0 else ""
    assert "<" not in outside


def test_code_keeps_its_angle_brackets() -> None:
    assert cell("a <b> and `list<int>`") == "a &lt;b> and `list<int>`"
    assert code("") == ""


def test_a_table_without_rows_is_nothing() -> None:
    assert table(["a", "b"], []) == []
    assert table(["a", "b"], [("1", "x|y")]) == ["| a | b |", "|---|---|", "| 1 | x\\|y |"]

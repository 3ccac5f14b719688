"""Planted truths: asked of real tables; a wrong answer names both values."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from floe_core.errors import MissingToolError, WrongStateError
from floe_ops.products import truths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = """
product: tiny
as_of_date: "2026-06-30"
truths:
  - {id: total, says: "sold, EUR", query: select sum(amount) from marts.orders, expected: "3.50"}
  - {id: late, says: late orders, query: select id from marts.orders where late order by 1, expected: [b]}
"""


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.orders (id varchar, amount decimal(9, 2), late boolean)")
        connection.execute("insert into marts.orders values ('a', 1.25, false), ('b', 2.25, true)")
        yield connection


@pytest.fixture
def planted(tmp_path: Path) -> truths.Truths:
    (tmp_path / truths.FILE).write_text(FILE, encoding="utf-8")
    return truths.load(tmp_path)


@pytest.mark.parametrize(
    ("expected", "found", "agrees"),
    [
        (3, 3, True),
        (3, Decimal(3), True),
        (3, 4, False),
        ("3.50", Decimal("3.5"), True),
        ("3.50", Decimal("3.51"), False),
        ("3.50", 3.5, False),  # a double is never an amount, even where it looks equal
        (1, True, False),
        (3, None, False),
        ("C1", "C1", True),
        ("C1", "C2", False),
        ("C1", 1, False),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], False),
        ([], ["a"], False),
    ],
)
def test_an_answer_agrees_only_when_it_is_exact(expected: Any, found: Any, agrees: bool) -> None:
    assert truths.agrees(expected, found) is agrees


def test_found_truths_are_returned_as_text(planted: truths.Truths, database: duckdb.DuckDBPyConnection) -> None:
    found = truths.check(database, planted, where="here")
    assert [(truth.id, truth.found) for truth in found] == [("total", "3.50"), ("late", ("b",))]


def test_every_wrong_answer_is_named_with_both_values(
    planted: truths.Truths, database: duckdb.DuckDBPyConnection
) -> None:
    database.execute("update marts.orders set amount = amount + 0.01, late = true")
    with pytest.raises(WrongStateError) as caught:
        truths.check(database, planted, where="here")
    assert "total (sold, EUR): planted 3.50, found 3.52" in caught.value.why
    assert "late (late orders): planted 1, found 2: found and not planted a" in caught.value.why


def test_an_answer_of_several_rows_is_no_answer(planted: truths.Truths, database: duckdb.DuckDBPyConnection) -> None:
    question = planted.truths[0].model_copy(update={"query": "select amount from marts.orders"})
    with pytest.raises(WrongStateError, match="does not tell the truth") as caught:
        truths.check(database, planted.model_copy(update={"truths": [question]}), where="here")
    assert "found 2 rows" in caught.value.why


def test_a_question_that_cannot_be_asked_is_named(planted: truths.Truths, database: duckdb.DuckDBPyConnection) -> None:
    database.execute("drop table marts.orders")
    with pytest.raises(WrongStateError, match="total cannot be asked"):
        truths.check(database, planted, where="here")


def test_a_product_without_truths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no planted truths"):
        truths.load(tmp_path)


@pytest.mark.parametrize("text", ["truths: []", "product: [", FILE.replace('"3.50"', "3.5")])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / truths.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(WrongStateError, match="cannot be read"):
        truths.load(tmp_path)

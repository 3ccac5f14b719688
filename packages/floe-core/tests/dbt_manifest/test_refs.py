"""The static scan of `ref()`: what is certain, what is possible, and what is hidden."""

from __future__ import annotations

import pytest
from floe_core.dbt_manifest.refs import Refs, harmless_macros, scan_python, scan_sql
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "certain", "possible", "complete"),
    [
        ("select * from {{ ref('a') }}", {"a"}, set(), True),
        ("select * from {{- ref( \"a\" ) -}} join {{ ref('b') }}", {"a", "b"}, set(), True),
        ("{# {{ ref('no') }} #}{{ ref('a') }}", {"a"}, set(), True),
        ("{% raw %}{{ ref('no') }}{% endraw %}", set(), set(), True),
        ("-- depends_on: {{ ref('a') }}", {"a"}, set(), True),
        ("select 'ref(a)' as text", set(), set(), True),
        ("{{ ref('orders', 'a') }}{{ ref('other', 'b') }}", {"a"}, set(), True),
        ("{{ ref('a', v=2) }}{{ ref('b', version='1') }}", {"a", "b"}, set(), True),
        ("{% if is_incremental() %}{{ ref('a') }}{% endif %}{{ ref('b') }}", {"b"}, {"a"}, True),
        ("{% for n in [1] %}{% if n %}x{% endif %}{{ ref('a') }}{% endfor %}{{ ref('b') }}", {"b"}, {"a"}, True),
        ("{{ ref('a') if var('x') else ref('b') }}", set(), {"a", "b"}, True),
        ("{% set orders = ref('a') %}{{ orders }}", {"a"}, set(), True),
        ("{{ config(materialized='table', pre_hook='}}') }}{{ ref('a') }}", {"a"}, set(), True),
        ("{{ {'x': {'y': ref('a')}} }}{{ ref('b') }}", {"a", "b"}, set(), True),
        ("{{ ref(name) }}", set(), set(), False),
        ("{{ ref('a' ~ suffix) }}", set(), set(), False),
        ("{{ dbt_utils.star(from=ref('a')) }}", {"a"}, set(), False),
        ("{{ my_macro() }}{{ ref('a') }}", {"a"}, set(), False),
        ("{{ own_macro() }}{{ ref('a') | upper }}{{ this.name.upper() }}", {"a"}, set(), True),
        ("{% set r = builtins.ref %}{{ r('a') }}", set(), set(), False),
        ("{{ ref('a'", set(), set(), False),
        ("{% raw %}{{ ref('a') }}", set(), set(), True),
    ],
)
def test_what_a_text_tells(text: str, certain: set[str], possible: set[str], complete: bool) -> None:
    refs = scan_sql(text, package="orders", harmless=frozenset({"own_macro"}))
    assert (set(refs.certain), refs.possible, refs.complete) == (certain, possible, complete)


def test_a_call_is_known_by_its_line() -> None:
    assert scan_sql("select 1\n\nfrom {{ ref('a') }}\njoin {{ ref('a') }}").certain == {"a": 3}


def test_another_package_cannot_be_told_without_the_name_of_this_one() -> None:
    assert scan_sql("{{ ref('orders', 'a') }}") == Refs(complete=False)


def test_macros_are_harmless_only_when_none_speaks_of_models() -> None:
    plain, reading = "{% macro one(x) %}{{ x }}{% endmacro %}", "{%- macro two() -%}{{ ref('a') }}{% endmacro %}"
    assert harmless_macros([plain]) == {"one"}
    assert harmless_macros([plain, reading]) == frozenset()


@pytest.mark.parametrize(
    ("text", "certain", "complete"),
    [
        ("def model(dbt, session):\n    return dbt.ref('a')\n", {"a": 2}, True),
        ("dbt.ref('orders', 'a'); dbt.ref('other', 'b')", {"a": 1}, True),
        ("dbt.ref(name)", {}, False),
        ("def (", {}, False),
        ("\0", {}, False),
    ],
)
def test_python_models_are_read_too(text: str, certain: dict[str, int], complete: bool) -> None:
    assert scan_python(text, package="orders") == Refs(certain, set(), complete)


PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "ref",
    "(",
    ")",
    "'",
    '"',
    "\\",
    "a",
    ",",
    "v",
    "=",
    "if",
    "end",
    "raw",
    ".",
]


@given(st.lists(st.sampled_from([*PIECES, " ", "\n", "endif", "endraw", "macro", "'x'", "é"]), max_size=60))
def test_no_text_is_too_strange(pieces: list[str]) -> None:
    refs = scan_sql("".join(pieces), package="x")
    assert all(line >= 1 for line in refs.certain.values())
    scan_python("".join(pieces))


@pytest.mark.parametrize("piece", ["{{ '\\", "\\'", "{% if ref('a') %}", "{{ (", "{% raw %}", "{{ ref('a') }}", "'"])
def test_the_work_grows_with_the_text_and_not_faster(piece: str) -> None:
    # Quadratic work on this text would take minutes, which the suite's limit ends.
    scan_sql("{{ " + piece * 100_000)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_gives_an_answer(text: str) -> None:
    scan_sql(text)
    harmless_macros([text])

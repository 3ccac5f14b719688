"""Figures of a table: any change of content changes them, the order of rows does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from floe_ops.products import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = "(values (1, 1.10::decimal(9, 2), 'a'), (2, 2.20, 'b'), (2, 2.20, 'b'), (3, null, 'c')) as t(id, amount, word)"


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f'create schema "a b"; create table "a b".t as from {ROWS}')
        yield connection


def test_rows_and_exact_sums(database: duckdb.DuckDBPyConnection) -> None:
    found = facts.of_table(database, "a b.t", "mart")
    assert (found.name, found.rows, found.sums) == ("mart", 4, {"id": "8", "amount": "5.50"})


def test_the_order_of_rows_does_not_count(database: duckdb.DuckDBPyConnection) -> None:
    before = facts.of_table(database, "a b.t", "mart")
    database.execute('create or replace table "a b".t as from "a b".t order by id desc')
    assert before.differences(facts.of_table(database, "a b.t", "mart")) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("delete from \"a b\".t where word = 'c'", "mart: 4 rows against 3"),
        ('update "a b".t set amount = 1.11 where id = 1', "mart.amount: 5.50 against 5.51"),
        ("update \"a b\".t set word = 'z' where id = 1", "counts and sums are equal, rows differ"),
        ('alter table "a b".t drop column amount', "mart.amount: DECIMAL(9,2) against no such column"),
    ],
)
def test_any_change_is_seen(database: duckdb.DuckDBPyConnection, change: str, says: str) -> None:
    before = facts.of_table(database, "a b.t", "mart")
    database.execute(change)
    assert any(says in line for line in before.differences(facts.of_table(database, "a b.t", "mart")))


def test_an_empty_table_has_facts(database: duckdb.DuckDBPyConnection) -> None:
    database.execute('delete from "a b".t')
    found = facts.of_table(database, "a b.t", "mart")
    assert (found.rows, found.sums, found.fingerprint) == (0, {"id": "0", "amount": "0.00"}, "0")


def test_a_number_is_what_iceberg_keeps_of_it(database: duckdb.DuckDBPyConnection) -> None:
    database.execute('create table "a b".small as select id::tinyint as id, amount, word from "a b".t')
    database.execute('create table "a b".huge as select word, amount, id::integer as id from "a b".t')
    small, huge = (facts.of_table(database, f"a b.{name}", "mart") for name in ("small", "huge"))
    assert small.columns == {"amount": "DECIMAL(9,2)", "id": "INTEGER", "word": "VARCHAR"}
    assert small.differences(huge) == []

"""Tables in a catalog: whole, replaced in one commit, with the model's columns. The catalog is PyIceberg's own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # publishes no types
import pytest
import requests
from floe_core.errors import FloeError, WrongStateError
from floe_core.plugins import BuiltTable
from floe_core.running import publishing
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.exceptions import CommitFailedException, ForbiddenError, ServiceUnavailableError

DAYS = BuiltTable("marts", "mart_days")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = InMemoryCatalog("test", warehouse=f"file://{tmp_path}/warehouse")
    yield made
    made.close()


def publish(catalog: Catalog, content: pa.Table, **properties: str) -> publishing.Published:
    """Publish `content` as the table `days` of the namespace `orders`."""

    @contextlib.contextmanager
    def read(table: BuiltTable) -> Iterator[Any]:
        assert table == DAYS
        yield pa.RecordBatchReader.from_batches(content.schema, content.to_batches())

    (done,) = publishing.publish(catalog, "orders", {"days": DAYS}, read, properties)
    return done


def held(catalog: Catalog) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = catalog.load_table(("orders", "days")).scan().to_arrow().to_pylist()
    return rows


def test_a_table_is_made_with_its_rows_and_what_is_noted(catalog: Catalog) -> None:
    done = publish(catalog, pa.table({"day": [1, 2], "revenue": [1.5, 2.5]}), **{"floe.source": "sha256:1"})
    assert (done.name, done.rows) == ("days", 2)
    assert held(catalog) == [{"day": 1, "revenue": 1.5}, {"day": 2, "revenue": 2.5}]
    snapshot = catalog.load_table(("orders", "days")).current_snapshot()
    assert snapshot
    assert snapshot.snapshot_id == done.snapshot_id
    assert snapshot.summary
    assert snapshot.summary["floe.source"] == "sha256:1"


def test_a_second_build_replaces_the_rows(catalog: Catalog) -> None:
    publish(catalog, pa.table({"day": [1, 2]}))
    assert publish(catalog, pa.table({"day": [3]})).rows == 1
    assert held(catalog) == [{"day": 3}]


def test_a_table_follows_the_columns_of_its_model(catalog: Catalog) -> None:
    publish(catalog, pa.table({"day": [1], "old": ["x"]}))
    publish(catalog, pa.table({"day": [1], "new": [True]}))
    assert held(catalog) == [{"day": 1, "new": True}]


def test_a_table_that_is_empty_and_then_is_not(catalog: Catalog) -> None:
    assert publish(catalog, pa.table({"day": pa.array([], pa.int64())})).rows == 0
    assert publish(catalog, pa.table({"day": [1]})).rows == 1


def test_a_column_that_cannot_become_the_models_is_told_and_nothing_changes(catalog: Catalog) -> None:
    publish(catalog, pa.table({"day": ["monday"]}))
    with pytest.raises(WrongStateError, match="cannot take the model's columns") as caught:
        publish(catalog, pa.table({"day": [True]}))
    assert caught.value.where == "orders.days"
    assert held(catalog) == [{"day": "monday"}]


def hurry(catalog: Catalog) -> None:
    """Make PyIceberg's own attempts follow each other at once."""
    waits = {"commit.retry.min-wait-ms": "1", "commit.retry.max-wait-ms": "2"}
    with catalog.load_table(("orders", "days")).transaction() as change:
        change.set_properties(waits)


def test_somebody_elses_commit_in_between_starts_it_over(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(catalog, pa.table({"day": [1]}))
    hurry(catalog)
    real = catalog.commit_table
    refused: list[object] = []

    def busy(*words: Any, **more: Any) -> Any:
        if len(refused) < 8:  # more often than PyIceberg itself tries again
            refused.append(words)
            raise CommitFailedException("somebody was faster")
        return real(*words, **more)

    monkeypatch.setattr(catalog, "commit_table", busy)
    assert publish(catalog, pa.table({"day": [7, 8]})).rows == 2
    assert len(refused) == 8


def test_a_table_that_others_keep_writing_is_given_up(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(catalog, pa.table({"day": [1]}))
    hurry(catalog)

    def busy(*_words: Any, **_more: Any) -> Any:
        raise CommitFailedException("somebody was faster")

    monkeypatch.setattr(catalog, "commit_table", busy)
    with pytest.raises(WrongStateError, match="cannot be committed"):
        publish(catalog, pa.table({"day": [2]}))


def test_dbts_manifest_says_where_a_model_lies(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    nodes = {
        "model.o.days": {"resource_type": "model", "name": "days", "schema": "marts", "alias": "mart_days"},
        "test.o.days": {"resource_type": "test", "name": "days", "schema": "x", "alias": "y"},
    }
    path.write_text(json.dumps({"nodes": nodes}))
    assert publishing.built_tables(path, ["days"]) == {"days": DAYS}
    every: tuple[Any, ...] = ({"nodes": {}}, {"nodes": 3}, [], {"nodes": {"a": 1}})
    for broken in every:
        path.write_text(json.dumps(broken))
        with pytest.raises(WrongStateError, match="dbt does not say"):
            publishing.built_tables(path, ["days"])


@pytest.mark.parametrize(
    ("raised", "exit_code"), [(ForbiddenError, 3), (ServiceUnavailableError, 4), (requests.ConnectionError, 4)]
)
def test_a_catalog_that_refuses_or_fails_is_told_without_its_words(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, raised: type[Exception], exit_code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised("planted-value-of-a-secret")

    monkeypatch.setattr(catalog, "table_exists", fail)
    with pytest.raises(FloeError) as caught:
        publish(catalog, pa.table({"day": [1]}))
    assert (caught.value.where, int(caught.value.exit_code)) == ("orders.days", exit_code)
    assert raised.__name__ in caught.value.why
    assert "planted" not in str(caught.value)

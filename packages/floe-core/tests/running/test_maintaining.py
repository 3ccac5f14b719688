"""A product's tables are tended by the catalog of its platform, with what its retention keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_core.plugins import CatalogError, PluginType
from floe_core.running.maintaining import Chore, maintain

if TYPE_CHECKING:
    from floe_core.plugins import Maintained
    from tests.running.conftest import Bench

CATALOG = """
        def connect(self, fileio=None):
            raise AssertionError("maintenance does not connect by itself")
        def create_namespace(self, namespace, properties=None):
            return True
        def list_tables(self, namespace):
            return ()
        def address(self):
            return CatalogAddress("http://c", "w", "me", "{{ env_var('CATALOG_KEY') }}", "s")
        def states(self, tables, fileio=None, *, release=""):
            return ()
        def overwrite(self, table, rows, fileio=None):
            raise AssertionError("maintenance writes no table itself")
        def maintain(self, namespace, keeping, fileio=None, *, dry_run=False):
            if pathlib.Path(self.config.folder, "raise").exists():
                raise RuntimeError("password=hunter2")
            with open(self.config.folder + "/maintained.jsonl", "a") as stream:
                said = {"namespace": namespace, "fileio": fileio, "dry_run": dry_run, "keep": keeping.snapshots}
                stream.write(json.dumps({**said, "older_than": keeping.older_than.isoformat()}) + chr(10))
            yield Maintained(namespace + ".t", 4, 1, 2, 3, 5, 0, 2048, 0.1)
"""
STORAGE = """
        def fileio_properties(self):
            return {"s3.region": "here"}
        def warehouse_uri(self, namespace=""):
            return "s3://b"
        def address(self):
            return StorageAddress("http://s", "here")
"""


@pytest.fixture
def lake(bench: Bench) -> Bench:
    """A bench with a catalog and a store, whose product says what is kept."""
    bench.add(PluginType.CATALOG, CATALOG)
    bench.add(PluginType.STORAGE, STORAGE)
    bench.script()
    return bench


def tended(bench: Bench, *, retention: str = "{ days: 30, keepSnapshots: 4 }", **options: bool) -> list[Maintained]:
    spec = bench.product / "floe.yaml"
    if retention:
        spec.write_text(f"{spec.read_text()}\nretention: {retention}\n", encoding="utf-8")
    manifest, registry = bench.platform()
    return list(maintain(Chore(bench.product, manifest, **options), bench.heard.noted, registry=registry))


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_catalog_is_told_what_the_product_keeps(lake: Bench, dry_run: bool) -> None:
    (done,) = tended(lake, dry_run=dry_run)
    assert (done.table, done.files_before, done.files_after) == ("orders.t", 4, 1)
    (said,) = lake.kept("maintained.jsonl")
    older_than = datetime.fromisoformat(said.pop("older_than"))
    assert abs(datetime.now(UTC) - timedelta(days=30) - older_than) < timedelta(minutes=5)
    assert said == {"namespace": "orders", "fileio": {"s3.region": "here"}, "dry_run": dry_run, "keep": 4}


def test_the_platform_says_it_where_the_product_does_not(lake: Bench) -> None:
    lake.extra["governance"] = {"snapshot_keep_last": 6, "data_retention_days": 90}
    tended(lake, retention="")
    (said,) = lake.kept("maintained.jsonl")
    assert said["keep"] == 6
    assert abs(datetime.now(UTC) - timedelta(days=90) - datetime.fromisoformat(said["older_than"])).seconds < 300


def test_nothing_is_removed_where_nobody_says_what_is_kept(lake: Bench) -> None:
    with pytest.raises(UsageError, match="nobody says"):
        tended(lake, retention="")
    assert lake.kept("maintained.jsonl") == []


def test_a_platform_without_a_catalog_has_nothing_to_maintain(bench: Bench) -> None:
    with pytest.raises(UsageError) as told:
        tended(bench)
    assert told.value.where == "plugins.catalog"


def test_a_plugin_that_raises_is_told_without_its_words(lake: Bench) -> None:
    (lake.folder / "raise").touch()
    with pytest.raises(CatalogError) as told:
        tended(lake)
    assert "RuntimeError" in told.value.why
    assert "hunter2" not in str(told.value)

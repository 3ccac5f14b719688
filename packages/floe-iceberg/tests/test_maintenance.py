"""Every table of a product is tended, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import WrongStateError
from floe_core.plugins import Keeping, Maintained
from floe_iceberg import maintenance
from floe_iceberg.maintenance import maintain, tables_in
from floe_iceberg.writing import WriteMode, write
from pyiceberg.exceptions import NoSuchNamespaceError

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog


def test_tables_are_merged_and_their_history_is_forgotten(catalog: SqlCatalog) -> None:
    for name in (("shop", "orders"), ("shop", "returns"), ("other", "orders")):
        for number in range(3):
            write(catalog, name, pa.table({"id": [number]}), mode=WriteMode.APPEND)
    keeping = Keeping(datetime.now(UTC) + timedelta(hours=1), snapshots=1)
    looked = list(maintain(catalog, ("shop",), keeping, dry_run=True))
    assert [len(catalog.load_table(("shop", name)).snapshots()) for name in ("orders", "returns")] == [3, 3]
    done = list(maintain(catalog, ("shop",), keeping))
    assert [one.table for one in looked] == [one.table for one in done] == ["shop.orders", "shop.returns"]
    for one in done:
        assert (one.files_before, one.files_after, one.snapshots, one.lost_files) == (3, 1, 3, 0)
        assert one.files > 3
        assert one.bytes > 0
        assert one.seconds > 0
    for namespace, snapshots in (("shop", 1), ("other", 3)):
        table = catalog.load_table((namespace, "orders"))
        assert len(table.snapshots()) == snapshots
        assert sorted(table.scan().to_arrow()["id"].to_pylist()) == [0, 1, 2]


def test_namespaces_in_the_products_are_its_own(catalog: SqlCatalog) -> None:
    for levels in (("shop",), ("shop", "marts"), ("shopping",)):
        catalog.create_namespace(levels)
    schema = pa.schema([("id", pa.int64())])
    for levels in (("shop",), ("shop", "marts"), ("shopping",)):
        catalog.create_table((*levels, "t"), schema)
    assert list(tables_in(catalog, ("shop",))) == [("shop", "t"), ("shop", "marts", "t")]
    with pytest.raises(NoSuchNamespaceError):
        list(tables_in(catalog, ("nowhere",)))


def test_one_table_that_cannot_be_tended_leaves_none_behind_it_untended(
    catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        write(catalog, ("shop", name), pa.table({"id": [1]}), mode=WriteMode.APPEND)
    tend = maintenance._tended

    def tended(table: Any, name: str, keeping: Keeping, *, dry_run: bool) -> Maintained:
        if name == "shop.b":
            raise WrongStateError("deletes that cannot be read", where=name)
        return tend(table, name, keeping, dry_run=dry_run)

    monkeypatch.setattr(maintenance, "_tended", tended)
    work = maintain(catalog, ("shop",), Keeping(datetime.now(UTC), snapshots=1))
    assert [next(work).table, next(work).table] == ["shop.a", "shop.c"]
    with pytest.raises(WrongStateError, match="deletes") as told:
        next(work)
    assert told.value.where == "shop.b"

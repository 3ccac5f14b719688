"""A tag keeps its snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from floe_core.errors import WrongStateError
from floe_iceberg import versions
from floe_iceberg.writing import WriteMode, write

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog

ROWS = pa.table({"id": [1]})


def test_a_tag_stays_unless_it_is_told_to_move(catalog: SqlCatalog) -> None:
    first = write(catalog, ("shop", "orders"), ROWS, mode=WriteMode.APPEND).snapshot_id
    table = catalog.load_table(("shop", "orders"))
    assert versions.tag(table, "v1.0.0") == first
    assert versions.tag(table, "v1.0.0") == first
    second = write(catalog, ("shop", "orders"), ROWS, mode=WriteMode.APPEND).snapshot_id
    with pytest.raises(WrongStateError, match=r"v1\.0\.0 stays") as told:
        versions.tag(table, "v1.0.0")
    assert str(first) in told.value.why
    assert str(second) in told.value.why
    assert versions.tag(table, "v1.0.0", snapshot_id=first) == first
    assert versions.tag(table, "v1.0.0", move=True) == second
    assert versions.tag(table, "v0.9.0", snapshot_id=first) == first
    assert versions.tags(table) == {"v0.9.0": first, "v1.0.0": second}


def test_only_snapshots_that_are_there_have_tags(catalog: SqlCatalog) -> None:
    catalog.create_namespace("shop")
    table = catalog.create_table(("shop", "orders"), ROWS.schema)
    with pytest.raises(WrongStateError, match="nothing to tag"):
        versions.tag(table, "v1")
    write(catalog, ("shop", "orders"), ROWS, mode=WriteMode.APPEND)
    with pytest.raises(WrongStateError) as told:
        versions.tag(table, "v1", snapshot_id=7)
    assert "no snapshot 7" in told.value.why
    with pytest.raises(WrongStateError) as told:
        versions.tag(table, "main")
    assert "branch" in told.value.why
    assert versions.tags(table) == {}

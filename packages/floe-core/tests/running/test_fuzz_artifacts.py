"""Whatever dbt leaves behind: a run goes on or ends with an error for people."""

from __future__ import annotations

import tempfile
from pathlib import Path

from floe_core.lineage.dbt import datasets_of
from floe_core.lineage.events import DataSource
from floe_core.running import lineage, releasing, resuming
from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from hypothesis import given

NODE = {
    "resource_type": "model", "name": "orders", "schema": "marts", "alias": "orders", "database": "shop",
    "columns": {"id": {"name": "id", "data_type": "int"}}, "depends_on": {"nodes": ["seed.shop.raw"]},
    "config": {"materialized": "ephemeral"},
}  # fmt: skip
MANIFEST = {"nodes": {"model.shop.orders": NODE, "seed.shop.raw": {"resource_type": "seed", "name": "raw"}}}
SOURCE = DataSource("floe")


@BOUNDED
@given(inputs(MANIFEST))
def test_any_manifest_is_used_or_refused(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.json")
        path.write_bytes(raw)
        lives_through(lambda: releasing.identifiers(path, ["orders"], namespace="shop", default_schema="main"))
        lives_through(lambda: datasets_of(lineage._read(path), ("model.shop.orders",), SOURCE))


@BOUNDED
@given(inputs({"command": "run", "nodes": ["orders"]}))
def test_any_record_of_what_is_undone_is_used_or_refused(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "undone.json")
        path.write_bytes(raw)
        lives_through(lambda: resuming.left(path, "shop"))

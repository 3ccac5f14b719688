"""Whatever stands where dbt leaves its manifest."""

from __future__ import annotations

from floe_core.dbt_manifest.manifest import ManifestError, parse
from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from hypothesis import given

MODEL = {
    "resource_type": "model", "package_name": "shop", "name": "orders", "description": "d", "version": 1,
    "columns": {"id": {"name": "id", "description": "d"}}, "tags": ["t"], "original_file_path": "models/orders.sql",
    "checksum": {"name": "sha256", "checksum": "0"}, "depends_on": {"nodes": ["model.shop.raw"]}, "config": {},
}  # fmt: skip
TEST = {
    "resource_type": "test", "package_name": "shop", "name": "unique", "attached_node": "model.shop.orders",
    "test_metadata": {"name": "unique", "namespace": "x"},
}  # fmt: skip
MANIFEST = {
    "metadata": {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "shop", "dbt_version": "1.11.16", "generated_at": "2026-11-27T00:00:00Z",
    },
    "nodes": {"model.shop.orders": MODEL, "test.shop.unique": TEST},
    "sources": {"source.shop.raw": {"source_name": "s", "name": "raw"}},
    "disabled": {"model.shop.off": [MODEL]},
}  # fmt: skip


@BOUNDED
@given(inputs(MANIFEST))
def test_any_manifest_is_read_or_refused(raw: bytes) -> None:
    lives_through(lambda: parse(raw), errors=ManifestError)

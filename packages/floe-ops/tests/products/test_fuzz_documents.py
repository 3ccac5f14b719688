"""Whatever stands in a product's planted truths, and in the manifest that its promises are held to."""

from __future__ import annotations

import tempfile
from pathlib import Path

from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_ops.products import declared, truths
from hypothesis import given

TRUTHS = {
    "product": "shop", "as_of_date": "2026-01-01",
    "truths": [{"id": "T1", "says": "s", "query": "select 1", "expected": 1}],
}  # fmt: skip
NODE = {
    "resource_type": "model", "name": "orders", "schema": "marts", "alias": "orders",
    "depends_on": {"nodes": ["model.shop.raw"]}, "config": {"materialized": "table", "partition_by": ["id"]},
}  # fmt: skip


@BOUNDED
@given(inputs(TRUTHS))
def test_any_truths_are_read_or_refused(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, truths.FILE).write_bytes(raw)
        lives_through(lambda: truths.load(Path(folder)))


@BOUNDED
@given(inputs({"nodes": {"model.shop.orders": NODE}}))
def test_any_manifest_is_read_or_refused(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.json")
        path.write_bytes(raw)
        lives_through(lambda: declared.nodes(path))

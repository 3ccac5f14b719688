"""Whatever stands in the manifest that a test's model is looked up in."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_dbt_core.tested import TestedNodes
from hypothesis import given

MODEL = {"name": "orders", "tags": ["money"], "meta": {"tier": "gold"}, "config": {"meta": {"tier": "silver"}}}
NODE = SimpleNamespace(
    resource_type="test",
    attached_node="model.shop.orders",
    test_metadata=SimpleNamespace(namespace=None, name="unique"),
    config=SimpleNamespace(severity="ERROR"),
)


@BOUNDED
@given(inputs({"nodes": {"model.shop.orders": MODEL}, "sources": {}}))
def test_any_manifest_gives_what_it_knows(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.json")
        path.write_bytes(raw)
        lives_through(lambda: TestedNodes(path).asked_by(NODE))

"""What a test asks, and of which node: from dbt's test node, and from the manifest for what stands with the model."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from floe_core.plugins import DbtTest

if TYPE_CHECKING:
    from pathlib import Path

SINGULAR, UNIT = "singular", "unit"


class TestedNodes:
    """The nodes that tests are about.

    The manifest that dbt has just written is read when the first test asks for its model: a command without tests
    does not pay for it.
    """

    __test__ = False  # pytest would take it for a suite

    def __init__(self, manifest: Path) -> None:
        self._path = manifest

    def asked_by(self, node: Any) -> DbtTest | None:
        """What `node` asks; None where it is no test."""
        if str(node.resource_type) == "unit_test":
            return self._test(node, UNIT)
        if str(node.resource_type) != "test":
            return None
        metadata = getattr(node, "test_metadata", None)
        if metadata is None:
            return self._test(node, SINGULAR)
        return self._test(node, f"{metadata.namespace}.{metadata.name}" if metadata.namespace else metadata.name)

    def _test(self, node: Any, kind: str) -> DbtTest:
        model = self._nodes.get(_subject(node), {})
        config = model.get("config") or {}
        meta = {**(config.get("meta") or {}), **(model.get("meta") or {})}
        own = getattr(node, "tags", None) or ()
        return DbtTest(
            kind=kind,
            model=str(model.get("name", "")),
            column=getattr(node, "column_name", None) or "",
            severity=str(getattr(node.config, "severity", "error")).lower(),
            tags=frozenset(own) | frozenset(model.get("tags") or ()),
            tier=str(meta.get("tier", "")),
        )

    @cached_property
    def _nodes(self) -> dict[str, dict[str, Any]]:
        """Sources and nodes by id; empty where dbt was told to write no manifest."""
        if not self._path.is_file():
            return {}
        manifest = json.loads(self._path.read_bytes())
        return {**manifest.get("sources", {}), **manifest["nodes"]}


def _subject(node: Any) -> str:
    """The id of the one node that a test is about; empty where there are several or none."""
    attached = getattr(node, "attached_node", None) or getattr(node, "tested_node_unique_id", None)
    if attached:
        return str(attached)
    upstream = node.depends_on.nodes
    return str(upstream[0]) if len(upstream) == 1 else ""

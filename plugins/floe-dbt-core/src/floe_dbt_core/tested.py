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
        model = _mapping(self._nodes.get(_subject(node)))
        meta = {**_mapping(_mapping(model.get("config")).get("meta")), **_mapping(model.get("meta"))}
        tags = model.get("tags")
        own = getattr(node, "tags", None) or ()
        return DbtTest(
            kind=kind,
            model=str(model.get("name", "")),
            column=getattr(node, "column_name", None) or "",
            severity=str(getattr(node.config, "severity", "error")).lower(),
            tags=frozenset(own) | frozenset(map(str, tags if isinstance(tags, list) else ())),
            tier=str(meta.get("tier", "")),
        )

    @cached_property
    def _nodes(self) -> dict[str, Any]:
        """Sources and nodes by id; empty where dbt was told to write no manifest, or was cut off while it did."""
        try:
            manifest = _mapping(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, RecursionError):
            return {}
        return {**_mapping(manifest.get("sources")), **_mapping(manifest.get("nodes"))}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _subject(node: Any) -> str:
    """The id of the one node that a test is about; empty where there are several or none."""
    attached = getattr(node, "attached_node", None) or getattr(node, "tested_node_unique_id", None)
    if attached:
        return str(attached)
    upstream = node.depends_on.nodes
    return str(upstream[0]) if len(upstream) == 1 else ""

"""A span for each node, below the current span, with the times that dbt measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from floe_core.plugins import DbtNode

_KIND = re.compile(r"^\s*([A-Z][A-Za-z]+ Error)\b", re.MULTILINE)
_BAD = frozenset({"error", "fail", "runtime error", "partial success"})


def record_nodes(nodes: tuple[DbtNode, ...]) -> None:
    """Make the spans of nodes that ran.

    Afterwards and with given times: dbt runs nodes in threads of its own, which do not know the current span.
    """
    from opentelemetry import trace
    from opentelemetry.trace import Status, StatusCode

    tracer = trace.get_tracer("floe.dbt")
    for node in nodes:
        if node.started_at is None or node.finished_at is None:
            continue
        attributes = {
            "dbt.node.id": node.unique_id,
            "dbt.node.type": node.resource_type,
            "dbt.node.status": node.status,
            "dbt.node.path": node.path,
        }
        one = tracer.start_span(
            f"{node.resource_type} {node.name}", attributes=attributes, start_time=_ns(node.started_at)
        )
        if node.rows is not None:
            one.set_attribute("dbt.node.rows", node.rows)
        if node.status in _BAD:
            one.set_status(Status(StatusCode.ERROR, _kind(node)))
        one.end(end_time=_ns(node.finished_at))


def _kind(node: DbtNode) -> str:
    """The kinds of error that dbt and the database name; their sentences may quote rows, or a secret."""
    return ", ".join(dict.fromkeys(_KIND.findall(node.message))) or node.status


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000

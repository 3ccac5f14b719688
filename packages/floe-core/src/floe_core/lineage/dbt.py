"""What dbt did, as run events: each model, seed and snapshot that ran starts, then completes or fails.

Inputs, columns and SQL come from dbt's own manifest; a node that it does not hold gives an event without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid5

from floe_core.lineage.events import Dataset, DataSource, EventKind, Job, Run, run_event
from floe_core.lineage.facets import error_facets, trace_facets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.lineage.facets import Facets
    from floe_core.plugins.dbt import DbtNode, DbtResult

BUILT = frozenset({"model", "seed", "snapshot"})
"""Resource types that write a table or a view."""
READABLE = BUILT | {"source"}


def model_events(
    result: DbtResult,
    manifest: Mapping[str, Any],
    run: Run,
    *,
    data_source: DataSource | None = None,
    traceparent: str | None = None,
) -> tuple[dict[str, Any], ...]:
    """START and then COMPLETE or FAIL for each node that ran and builds something, in dbt's order.

    A node that was skipped never ran and has no event; neither has a test.

    Args:
        result: What dbt did.
        manifest: dbt's `manifest.json` as loaded; may be empty.
        run: The product's run, which becomes the parent; `run.job.namespace` is the namespace of the jobs, and its
            beginning stands in for that of a node that failed before dbt took its time.
        data_source: Where the tables lie; without one the namespace of the jobs is that of the datasets too.
        traceparent: Of the span that ran dbt.
    """
    source = data_source or DataSource(run.job.namespace)
    trace = trace_facets(traceparent)
    events: list[dict[str, Any]] = []
    for node in result.nodes:
        if node.resource_type in BUILT and node.status != "skipped":
            events.extend(_node_events(node, manifest, run, source, trace))
    return tuple(events)


def datasets_of(manifest: Mapping[str, Any], unique_ids: tuple[str, ...], source: DataSource) -> tuple[Dataset, ...]:
    """The datasets behind dbt's ids, in their order; an id that builds nothing or is unknown is left out.

    An ephemeral model is no table: what it reads stands in its place.
    """
    found: dict[str, Dataset] = {}
    seen: set[str] = set()
    waiting = list(reversed(unique_ids))
    while waiting:
        unique_id = waiting.pop()
        node = _entry(manifest, unique_id)
        if unique_id in seen or _text(node, "resource_type") not in READABLE:
            continue
        seen.add(unique_id)
        if _mapping(node.get("config")).get("materialized") == "ephemeral":
            waiting.extend(reversed(_upstream(node)))
            continue
        dataset = Dataset(source, _relation(node), _columns(node))
        found.setdefault(dataset.name, dataset)
    return tuple(found.values())


def _node_events(
    node: DbtNode, manifest: Mapping[str, Any], run: Run, source: DataSource, trace: Facets
) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = _entry(manifest, node.unique_id)
    job = Job(
        run.job.namespace,
        node.unique_id,
        job_type=node.resource_type.upper(),
        sql=_text(entry, "compiled_code"),
        description=_text(entry, "description"),
    )
    began = node.started_at or node.finished_at or run.began
    ended = max(began, node.finished_at or began)
    inputs = datasets_of(manifest, _upstream(entry), source)
    output = Dataset(source, _relation(entry) or node.name, _columns(entry))
    failed = node.status not in {"success", "pass", "warn"}
    written = output if failed else Dataset(source, output.name, output.columns, node.rows)
    end = {**trace, **(error_facets(node.message) if failed else {})}
    kind = EventKind.FAIL if failed else EventKind.COMPLETE
    this = uuid5(run.id, node.unique_id)
    return (
        run_event(EventKind.START, this, job, at=began, inputs=inputs, outputs=(output,), parent=run, facets=trace),
        run_event(kind, this, job, at=ended, inputs=inputs, outputs=(written,), parent=run, facets=end),
    )


def _entry(manifest: Mapping[str, Any], unique_id: str) -> Mapping[str, Any]:
    for section in ("nodes", "sources"):
        entry = _mapping(_mapping(manifest.get(section)).get(unique_id))
        if entry:
            return entry
    return {}


def _upstream(entry: Mapping[str, Any]) -> tuple[str, ...]:
    nodes = _mapping(entry.get("depends_on")).get("nodes")
    return tuple(one for one in nodes if isinstance(one, str)) if isinstance(nodes, list) else ()


def _relation(entry: Mapping[str, Any]) -> str:
    own = _text(entry, "identifier") or _text(entry, "alias") or _text(entry, "name")
    return ".".join(part for part in (_text(entry, "database"), _text(entry, "schema"), own) if part)


def _columns(entry: Mapping[str, Any]) -> tuple[dict[str, str], ...]:
    columns = (_mapping(column) for column in _mapping(entry.get("columns")).values())
    return tuple(
        {"name": name, "type": _text(column, "data_type"), "description": _text(column, "description")}
        for column in columns
        if (name := _text(column, "name"))
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""

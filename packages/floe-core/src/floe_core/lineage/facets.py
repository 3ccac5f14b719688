"""The facets that floe's events carry, each with the version of its schema.

Contract: the facets of the OpenLineage specification. `floe_traceCorrelation` is floe's own: it ties an event to the
trace that shows the same work.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.lineage.events import Dataset, Job, Run

PRODUCER: Final = "https://floe.dev/v1/lineage"
SPEC: Final = "https://openlineage.io/spec"
INTEGRATION: Final = "FLOE"
MAX_MESSAGE: Final = 10_000
_TRACEPARENT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}\Z")

Facets: TypeAlias = dict[str, dict[str, Any]]


def job_facets(job: Job, dialect: str) -> Facets:
    """What is known of a job beyond its name."""
    facets: Facets = {}
    if job.job_type:
        kinds = {"processingType": "BATCH", "integration": INTEGRATION, "jobType": job.job_type}
        facets["jobType"] = _facet("2-0-4", "JobTypeJobFacet", kinds)
    if job.sql:
        spoken = {"query": job.sql, **({"dialect": dialect} if dialect else {})}
        facets["sql"] = _facet("1-1-0", "SQLJobFacet", spoken)
    if job.description:
        facets["documentation"] = _facet("1-1-0", "DocumentationJobFacet", {"description": job.description})
    return facets


def dataset_facets(dataset: Dataset) -> Facets:
    """Where a dataset lies and what its columns are."""
    place = {"name": dataset.source.uri, "uri": dataset.source.uri}
    facets = {"dataSource": _facet("1-0-1", "DatasourceDatasetFacet", place)}
    if dataset.columns:
        columns = [{key: value for key, value in column.items() if value} for column in dataset.columns]
        facets["schema"] = _facet("1-2-0", "SchemaDatasetFacet", {"fields": columns})
    return facets


def statistics_facets(rows: int) -> Facets:
    """How much was written."""
    return {"outputStatistics": _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", {"rowCount": rows})}


def parent_facets(parent: Run | None) -> Facets:
    """The run that started this one, and the first of them all."""
    if parent is None:
        return {}
    root = parent
    while root.parent is not None:
        root = root.parent
    return {"parent": _facet("1-2-0", "ParentRunFacet", {**_reference(parent), "root": _reference(root)})}


def error_facets(message: str, language: str = "SQL") -> Facets:
    """Why a run failed; the message is cut after 10,000 characters."""
    words = {"message": message[:MAX_MESSAGE], "programmingLanguage": language}
    return {"errorMessage": _facet("1-0-1", "ErrorMessageRunFacet", words)}


def trace_facets(header: str | None) -> Facets:
    """The W3C `traceparent` of the work; no facet where there is none or it is not well formed."""
    found = _TRACEPARENT.match(header or "")
    if found is None:
        return {}
    ids = {"traceparent": found.string, "traceId": found["trace"], "spanId": found["span"]}
    schema = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet"
    return {"floe_traceCorrelation": {"_producer": PRODUCER, "_schemaURL": schema, **ids}}


def traceparent() -> str | None:
    """The W3C `traceparent` of the current span; None outside of any."""
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _reference(run: Run) -> dict[str, Any]:
    return {"run": {"runId": str(run.id)}, "job": {"namespace": run.job.namespace, "name": run.job.name}}


def _facet(version: str, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    url = f"{SPEC}/facets/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **content}

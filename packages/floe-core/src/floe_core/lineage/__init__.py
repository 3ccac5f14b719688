"""Lineage as OpenLineage run events in their JSON form: pure functions, no library, nothing is sent from here.

A product's run and its models make events like this; a `LineageBackendPlugin` delivers each with `emit(event)`:

    product = Job("customer-360", "customer-360", job_type="PRODUCT")
    run = Run.begin(product, began)                      # the id is the same for the same job and moment
    emit(run_event(EventKind.START, run.id, product, at=began, facets=trace_facets(traceparent())))
    for event in model_events(result, manifest, run, data_source=DataSource("duckdb://orders.duckdb")):
        emit(event)
    emit(run_event(EventKind.COMPLETE, run.id, product, at=ended))   # or FAIL with facets=error_facets("…")

The namespace of jobs is the product's name. Models take the product's run as their parent.
"""

from __future__ import annotations

from floe_core.lineage.dbt import datasets_of, model_events
from floe_core.lineage.events import PRODUCER, Dataset, DataSource, EventKind, Job, Run, run_event, run_id
from floe_core.lineage.facets import error_facets, parent_facets, trace_facets, traceparent

__all__ = [
    "PRODUCER",
    "DataSource",
    "Dataset",
    "EventKind",
    "Job",
    "Run",
    "datasets_of",
    "error_facets",
    "model_events",
    "parent_facets",
    "run_event",
    "run_id",
    "trace_facets",
    "traceparent",
]

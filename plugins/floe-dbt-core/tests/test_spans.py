"""Spans of nodes: below the current span, with dbt's own times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from floe_core.plugins import DbtNode
from floe_dbt_core import spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

FAILURE = "Runtime Error in model bad (models/bad.sql)\n  Conversion Error: Could not convert string 'hunter2' to INT32"
START = datetime(2026, 6, 30, 12, 0, 0, 123456, tzinfo=UTC)


def node(name: str, status: str, *, ran: bool = True) -> DbtNode:
    return DbtNode(
        unique_id=f"model.tiny.{name}",
        name=name,
        resource_type="model",
        status=status,
        started_at=START if ran else None,
        finished_at=START + timedelta(milliseconds=250) if ran else None,
        message=FAILURE if status == "error" else "OK",
    )


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    # The global provider can be set once a process; the API's own look-up is replaced for this test only.
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    return memory


def test_nodes_that_ran_become_children_with_their_times(exporter: InMemorySpanExporter) -> None:
    from floe_core.telemetry import span

    with span("dbt run") as parent:
        spans.record_nodes((node("good", "success"), node("bad", "error"), node("late", "skipped", ran=False)))
    made = {one.name: one for one in exporter.get_finished_spans()}
    assert set(made) == {"model good", "model bad", "dbt run"}
    good, bad = made["model good"], made["model bad"]
    assert good.parent
    assert good.parent.span_id == parent.get_span_context().span_id
    assert good.start_time == 1_782_820_800_123_456_000
    assert good.end_time is not None
    assert good.end_time - good.start_time == 250_000_000
    assert good.status.is_ok or good.status.is_unset
    assert (bad.status.is_ok, bad.status.description) == (False, "Runtime Error, Conversion Error")
    assert "hunter2" not in bad.to_json()

from __future__ import annotations

import pytest
from floe_core.lineage import trace_facets, traceparent
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

HEADER = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_trace_is_a_facet() -> None:
    facet = trace_facets(HEADER)["floe_traceCorrelation"]
    assert (facet["traceparent"], facet["traceId"], facet["spanId"]) == (HEADER, "a" * 32, "b" * 16)
    assert facet["_schemaURL"].startswith("https://")


@pytest.mark.parametrize("header", [None, "", "x", HEADER + "\n", HEADER.upper(), HEADER.replace("00-", "01-", 1)])
def test_another_header_is_none(header: str | None) -> None:
    assert trace_facets(header) == {}


@given(st.text(max_size=60))
def test_any_header_is_a_facet_or_none(header: str) -> None:
    assert set(trace_facets(header)) <= {"floe_traceCorrelation"}


def test_the_current_span_is_named() -> None:
    with trace.use_span(trace.INVALID_SPAN):
        assert traceparent() is None
    context = SpanContext(int("a" * 32, 16), int("b" * 16, 16), is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        assert traceparent() == HEADER

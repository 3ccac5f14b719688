from __future__ import annotations

from dataclasses import replace

import pytest
from floe_ops.clients.jaeger import JaegerSpan, JaegerTrace
from floe_ops.whole_trace import STAGES, gaps


def _span(name: str, parent: str | None, **tags: str) -> JaegerSpan:
    return JaegerSpan(name, parent, name, "floe-platform", 0, 1, dict(tags))


WHOLE = (
    _span("nox", None),
    _span("session dbt_demo(iceberg)", "nox"),
    _span("task demo", "session dbt_demo(iceberg)"),
    _span("build customer-360", "task demo"),
    _span("compile.pipeline", "build customer-360"),
    *(_span(f"compile.{stage}", "compile.pipeline") for stage in STAGES),
    _span("dbt run", "build customer-360"),
    _span("model a", "dbt run", **{"dbt.node.id": "model.a"}),
    _span("iceberg commit a", "build customer-360"),
)


def _without(name: str) -> list[str]:
    """The gaps when the span `name` never arrived."""
    return gaps(JaegerTrace("t", tuple(span for span in WHOLE if span.operation != name)))


def test_a_whole_trace_has_no_gaps() -> None:
    assert gaps(JaegerTrace("t", WHOLE)) == []


@pytest.mark.parametrize("name", [span.operation for span in WHOLE if span.operation != "nox"])
def test_each_span_that_is_missing_is_a_gap(name: str) -> None:
    assert _without(name)


def test_the_gap_is_named() -> None:
    assert _without("compile.enforce") == ["compile.enforce is not below 'build customer-360'"]
    assert _without("model a") == ["no dbt node is below 'build customer-360'"]
    assert _without("iceberg commit a") == ["no Iceberg commit is in the trace"]
    assert "no span named 'session '… is above 'iceberg commit a'" in _without("session dbt_demo(iceberg)")


def test_nodes_of_another_build_do_not_count() -> None:
    other = _span("build other", "task demo")
    moved = [replace(span, parent="build other") if span.operation == "dbt run" else span for span in WHOLE]
    assert gaps(JaegerTrace("t", (*moved, other))) == ["no dbt node is below 'build customer-360'"]


def test_one_whole_chain_is_enough() -> None:
    stray = _span("iceberg commit stray", None)
    assert gaps(JaegerTrace("t", (stray, *WHOLE))) == []

"""The caller's trace goes on in a run, whichever way it came."""

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetExecutionContext, AssetsDefinition, DagsterInstance, RunRequest, asset, materialize
from floe_core.testing.receiver import receiving, reply
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.tracing import RUN_SPAN_TAG, TRACEPARENT_ENV, TRACEPARENT_TAG, Tracing, _read, _written
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


def traced(tracing: Tracing, name: str, *, fails: bool = False) -> AssetsDefinition:
    @asset(name=name)
    def made(context: AssetExecutionContext) -> None:
        with tracing.step(context, f"step {name}", **{"dagster.asset_key": name}):
            if fails:
                raise ValueError("hunter2")

    return made


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {one.name: one for one in spans.get_finished_spans()}


def parent_of(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"{span.parent.span_id:016x}"


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


@pytest.mark.parametrize("way", ["tag", "environment"])
def test_steps_hang_below_one_span_of_the_run_and_that_below_the_caller(
    untraced: Tracing, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "environment":
        monkeypatch.setenv(TRACEPARENT_ENV, CALLER)
    tags = {TRACEPARENT_TAG: CALLER} if way == "tag" else {}
    with DagsterInstance.ephemeral() as instance:
        result = materialize([traced(untraced, "a"), traced(untraced, "b")], instance=instance, tags=tags)
        run = instance.get_run_by_id(result.run_id)
    found = by_name(spans)
    assert len(spans.get_finished_spans()) == 3
    whole = found[f"dagster run {result.dagster_run.job_name}"]
    assert parent_of(whole) == "b7ad6b7169203331"
    for name in ("a", "b"):
        step = found[f"step {name}"]
        assert parent_of(step) == id_of(whole)
        assert step.context is not None
        assert f"{step.context.trace_id:032x}" == TRACE
        assert step.attributes is not None
        noted = {"floe.product.name": "tiny-product", "dagster.run_id": result.run_id, "dagster.asset_key": name}
        assert noted.items() <= dict(step.attributes).items()
    assert run is not None
    assert run.tags[TRACEPARENT_TAG] == CALLER
    assert run.tags[RUN_SPAN_TAG].split("-")[1:3] == [TRACE, id_of(whole)]


def test_a_failure_is_on_the_span_without_what_it_quotes(untraced: Tracing, spans: InMemorySpanExporter) -> None:
    assert not materialize([traced(untraced, "a", fails=True)], raise_on_error=False).success
    step = by_name(spans)["step a"]
    assert not step.status.is_ok
    assert [event.name for event in step.events] == ["exception"]
    assert "hunter2" not in str(step.to_json())


def test_a_caller_that_is_no_traceparent_is_left_alone(untraced: Tracing, spans: InMemorySpanExporter) -> None:
    assert materialize([traced(untraced, "a")], tags={TRACEPARENT_TAG: "nonsense"}).success
    step = by_name(spans)["step a"]
    assert step.context is not None
    assert step.context.trace_id


def test_each_tick_begins_a_trace_which_its_run_continues(
    untraced: Tracing, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRACEPARENT_ENV, CALLER)  # of whoever started the daemon, long ago
    first, second = (untraced.requested("when_healthy", "build") for _ in range(2))
    ticks = spans.get_finished_spans()
    assert [one.parent for one in ticks] == [None, None]
    assert [f"{one.context.trace_id:032x}" for one in ticks if one.context] == [
        tags[TRACEPARENT_TAG].split("-")[1] for tags in (first, second)
    ]
    assert first != second
    request = RunRequest(tags=first)
    materialize([traced(untraced, "a")], tags=dict(request.tags))
    (whole,) = [one for one in spans.get_finished_spans() if one.name.startswith("dagster run")]
    assert parent_of(whole) == id_of(ticks[0])


def test_without_a_configured_sdk_a_tick_still_names_a_trace(untraced: Tracing) -> None:
    tags = untraced.requested("when_healthy", "build")
    assert _written(tags[TRACEPARENT_TAG])


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_any_tag_is_read_or_as_none(text: str) -> None:
    context = _read(text)
    assert (context is None) == (not _written(text))


SCRIPT = """
import sys
from dagster import AssetExecutionContext, DagsterInstance, asset, materialize
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.tracing import Tracing

_, folder, endpoint, caller = sys.argv
otlp = Chosen(plugin="otlp")
tracing = Tracing(product="tiny", version="1.0.0", folder=folder, backend=otlp, endpoint=endpoint)

@asset
def made(context: AssetExecutionContext) -> None:
    with tracing.step(context, "step made"):
        pass

with DagsterInstance.ephemeral() as instance:
    result = materialize([made], instance=instance, tags={"traceparent": caller})
    print(*(r.user_message for r in instance.all_logs(result.run_id) if "traces:" in r.user_message), sep="\\n")
sys.stdout.flush()
import os; os._exit(0)  # as a step's process that is not given time to end: what is not sent by now is lost
"""


def run_script(folder: Path, endpoint: str) -> str:
    import os
    import subprocess
    import sys

    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    words = [sys.executable, "-c", SCRIPT, str(folder), endpoint, CALLER]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=100, env=environment)
    return done.stdout


def test_spans_have_left_when_the_step_ends(tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with receiving() as collector:
        collector.script = [reply(200, b"")]
        said = run_script(tmp_path, collector.url)
    assert said.strip() == ""
    found: list[Any] = []
    for request in collector.requests:
        message = ExportTraceServiceRequest.FromString(request.body)
        found += [span for one in message.resource_spans for scope in one.scope_spans for span in scope.spans]
    assert {span.name for span in found} >= {"step made"}
    assert {span.trace_id.hex() for span in found} == {TRACE}


def test_a_collector_that_is_not_there_is_said_and_fails_no_run(tmp_path: Path) -> None:
    said = run_script(tmp_path, "http://127.0.0.1:1")
    assert "no collector at http://127.0.0.1:1 took them all" in said
    assert list((tmp_path / ".floe/spool").glob("*.pb"))


def test_a_back_end_that_is_not_installed_is_said_and_fails_no_run(tmp_path: Path) -> None:
    tracing = Tracing(product="tiny", version="1.0.0", folder=str(tmp_path), backend=Chosen(plugin="nowhere"))
    with DagsterInstance.ephemeral() as instance:
        result = materialize([traced(tracing, "a")], instance=instance)
        messages = [record.user_message for record in instance.all_logs(result.run_id)]
    assert result.success
    assert any(message.startswith("traces: no plugin of type telemetry_backend") for message in messages)

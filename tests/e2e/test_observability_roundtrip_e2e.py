"""Traces that arrive (WU-4): to the collector, found in Jaeger by their id, equal in every value."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from floe_core.errors import WrongStateError
from floe_core.plugins import Lane
from floe_core.telemetry import span
from floe_ops import roundtrip, tracing
from floe_ops.clients.jaeger import Jaeger, TraceNotFoundError
from floe_ops.products import Ask, build_product
from floe_telemetry_otlp.spool import flush
from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.clients.jaeger import JaegerSpan, JaegerTrace
    from floe_ops.targets import Platform
    from opentelemetry.sdk.trace import ReadableSpan

pytestmark = pytest.mark.platform

STAGES = ("load", "validate", "resolve", "enforce", "compile", "generate")
DEADLINE_S = 20.0


@pytest.fixture
def jaeger(endpoints: dict[str, str]) -> Jaeger:
    return Jaeger(endpoints["jaeger-query"])


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL where nobody listens; the port stays bound so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def _send_by_grpc(url: str, spans: list[ReadableSpan]) -> None:
    """Send over OTLP/gRPC, by the protocol's own method and nothing of ours."""
    import grpc  # type: ignore[import-untyped]  # publishes no types
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
    )

    with grpc.insecure_channel(urlsplit(url).netloc) as channel:
        export = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            request_serializer=ExportTraceServiceRequest.SerializeToString,
            response_deserializer=ExportTraceServiceResponse.FromString,
        )
        answer = export(encode_spans(spans), timeout=10)
    assert answer.partial_success.rejected_spans == 0


@pytest.mark.requirement("WU4-AC4")
def test_a_trace_sent_over_http_is_found_by_its_id(endpoints: dict[str, str]) -> None:
    result = roundtrip.verify(endpoints["otlp-http"], endpoints["jaeger-query"])
    assert result.spans == len(roundtrip.SHAPE)
    assert roundtrip.SERVICE in result.services


@pytest.mark.requirement("WU4-AC4")
def test_a_trace_sent_over_grpc_is_found_by_its_id(endpoints: dict[str, str]) -> None:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory, attributes = InMemorySpanExporter(), roundtrip.values()
    provider = TracerProvider(resource=Resource.create({"service.name": roundtrip.SERVICE}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace_id = roundtrip.plant(provider.get_tracer("floe"), attributes)
    _send_by_grpc(endpoints["otlp-grpc"], list(memory.get_finished_spans()))
    assert roundtrip.find(endpoints["jaeger-query"], trace_id, attributes).spans == len(roundtrip.SHAPE)


@pytest.mark.requirement("WU4-BC3")
def test_a_trace_that_differs_in_one_value_fails(endpoints: dict[str, str], tmp_path: Path) -> None:
    from floe_telemetry_otlp.provider import build
    from floe_telemetry_otlp.wire import traces_url

    telemetry = build(spool=tmp_path, url=lambda: traces_url(endpoints["otlp-http"]), service=roundtrip.SERVICE)
    sent = roundtrip.values()
    trace_id = roundtrip.plant(telemetry.provider.get_tracer("floe"), sent)
    telemetry.flush()
    telemetry.provider.shutdown()
    expected = {**sent, "floe.roundtrip.ratio": 0.25}
    with pytest.raises(WrongStateError) as caught:
        roundtrip.find(endpoints["jaeger-query"], trace_id, expected)
    assert caught.value.why.count("floe.roundtrip.ratio is 0.125, not 0.25") == len(roundtrip.SHAPE)
    assert "nonce" not in caught.value.why


@pytest.mark.requirement("WU4-BC1")
def test_a_missing_trace_fails_with_jaegers_own_answer(jaeger: Jaeger) -> None:
    with pytest.raises(TraceNotFoundError) as caught:
        jaeger.wait_for_trace(os.urandom(16).hex(), lambda _: True, deadline_s=0.5)
    assert "HTTP 404" in caught.value.why
    assert "trace not found" in caught.value.why


@pytest.mark.requirement("WU4-BC2")
def test_a_collector_that_does_not_come_up_is_polled_and_then_fails(dead: str) -> None:
    with pytest.raises(TraceNotFoundError) as caught:
        Jaeger(dead).wait_for_trace(os.urandom(16).hex(), lambda _: True, deadline_s=0.5)
    assert "does not answer" in caught.value.why


COMPILE = """
import sys
from pathlib import Path
from floe_core.compilation import compile_product
from floe_ops.tracing import started
with started():
    compile_product(Path(sys.argv[1]), output=Path(sys.argv[2]))
"""


@pytest.mark.requirement("WU4-BC2")
def test_product_work_with_a_dead_collector_succeeds_says_so_and_loses_no_span(
    project_root: Path, tmp_path: Path, endpoints: dict[str, str], jaeger: Jaeger, dead: str
) -> None:
    trace_id, parent = os.urandom(16).hex(), os.urandom(8).hex()
    (tmp_path / "noxfile.py").touch()
    artifacts = tmp_path / "artifacts.json"
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(project_root / "demo" / "customer-360"), str(artifacts)],
        env={
            **os.environ,
            "FLOE_ROOT": str(tmp_path),
            "OTEL_EXPORTER_OTLP_ENDPOINT": dead,
            "TRACEPARENT": f"00-{trace_id}-{parent}-01",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert artifacts.is_file()
    assert f"spans were spooled ({urlsplit(dead).netloc} refused or lost the connection)" in done.stderr
    result = flush(endpoints["otlp-http"], tmp_path / ".floe" / "spool")
    assert (result.left, result.dropped) == (0, 0)
    found = jaeger.wait_for_trace(trace_id, lambda one: len(one.spans) >= result.spans, DEADLINE_S)
    (pipeline,) = found.named("compile.pipeline")
    assert pipeline.parent == parent
    assert {one.operation for one in found.children(pipeline)} == {f"compile.{stage}" for stage in STAGES}


@pytest.mark.requirement("WU4-AC5")
def test_every_e2e_test_is_a_span_of_the_trace_that_its_session_was_given(project_root: Path, jaeger: Jaeger) -> None:
    """A session within this one, because a test's span has arrived only after the test."""
    inner = f"tests/e2e/{Path(__file__).name}::{test_a_missing_trace_fails_with_jaegers_own_answer.__name__}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", inner],
        cwd=project_root,
        env={**os.environ, **tracing.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    mine = trace.get_current_span().get_span_context()
    found = jaeger.wait_for_trace(
        f"{mine.trace_id:032x}", lambda one: bool(_suites(one, mine.span_id)), DEADLINE_S, wanted="the inner session"
    )
    (suite,) = _suites(found, mine.span_id)
    (test,) = found.children(suite)
    assert test.tags["floe.test.id"] == inner
    assert test.tags["floe.test.outcome"] == "passed"
    assert test.tags["floe.test.requirements"] == '["WU4-BC1"]'
    assert {suite.service, test.service} == {roundtrip.SERVICE}


@pytest.mark.requirement("WU4-AC5")
@pytest.mark.catalog
def test_compile_dbt_and_iceberg_work_hangs_below_its_test(
    project_root: Path, tmp_path: Path, platform: Platform, jaeger: Jaeger
) -> None:
    product = project_root / "demo" / "customer-360"
    with span("the work of this test") as work:
        result = build_product(product, Ask(Lane.ICEBERG, home=tmp_path), platform)
    top = f"{work.get_span_context().span_id:016x}"
    models = {f"model {model.name}" for model in result.models}
    stages = {f"compile.{stage}" for stage in STAGES}
    expected = {"the work of this test", "compile.pipeline", *stages, *models, "iceberg release"}
    assert models

    def below(one: JaegerTrace) -> set[str]:
        return {each.operation for each in one.spans if _is_below(one, each, top)}

    found = _flushed(jaeger, f"all of {sorted(expected)}", lambda one: expected <= below(one))
    (root,) = found.named("the work of this test")
    assert root.parent == f"{trace.get_current_span().get_span_context().span_id:016x}"
    # In a run of Nox the trace has the work of other sessions too, and `floe run` says its product as the service.
    assert {one.service for one in found.spans if _is_below(found, one, top)} == {"floe-platform"}


def _flushed(jaeger: Jaeger, wanted: str, predicate: Callable[[JaegerTrace], bool]) -> JaegerTrace:
    """This session's trace, once what is finished so far has arrived and `predicate` holds."""
    tracing.flush()
    trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
    return jaeger.wait_for_trace(trace_id, predicate, DEADLINE_S, wanted=wanted)


def _suites(found: JaegerTrace, parent: int) -> list[JaegerSpan]:
    return [one for one in found.spans if "floe.suite" in one.tags and one.parent == f"{parent:016x}"]


def _is_below(found: JaegerTrace, one: JaegerSpan, top: str) -> bool:
    return one.id == top or top in {above.id for above in found.ancestors(one)}

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from floe_telemetry_otlp import wire
from floe_telemetry_otlp.messages import JSON
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://h:4318", "http://h:4318/v1/traces"),
        ("http://h:4318/", "http://h:4318/v1/traces"),
        ("http://h/otlp", "http://h/otlp/v1/traces"),
        ("http://h:4318/v1/traces", "http://h:4318/v1/traces"),
    ],
)
def test_the_path_for_traces_is_appended_once(endpoint: str, url: str) -> None:
    assert wire.traces_url(endpoint) == url


def test_the_environment_names_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wire.environment_url() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318")
    assert wire.environment_url() == "http://h:4318/v1/traces"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://exact/as/it/is")
    assert wire.environment_url() == "http://exact/as/it/is"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert wire.environment_url() is None, "a gRPC port would only break over HTTP"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "accepted"),
        (202, "accepted"),
        (302, "unavailable"),
        (400, "refused"),
        (401, "unavailable"),
        (404, "unavailable"),
        (413, "refused"),
        (429, "unavailable"),
        (500, "failing"),
        (503, "failing"),
    ],
)
def test_what_an_answer_means(collector: Any, request_of: Callable[..., bytes], status: int, state: str) -> None:
    collector.answer = lambda _: status
    answer = wire.post(wire.traces_url(collector.url), request_of("a"))
    assert answer.state == state
    assert (str(status) in answer.reason) == (state != "accepted")


def test_nobody_listens(dead: str, request_of: Callable[..., bytes]) -> None:
    answer = wire.post(dead, request_of("a"))
    assert answer.state == "unavailable"
    assert "refused or lost the connection" in answer.reason


def test_a_collector_that_does_not_answer_costs_one_timeout(collector: Any, request_of: Callable[..., bytes]) -> None:
    collector.gate.clear()
    answer = wire.post(collector.url, request_of("a"), timeout_s=0.2)
    assert answer.state == "unavailable"
    assert "no answer within 0.2 s" in answer.reason


@pytest.mark.parametrize("url", ["nonsense", "http://", "http://[", "ftp://h/x"])
def test_a_url_that_is_none_raises_nothing(url: str) -> None:
    assert wire.post(url, b"x").state == "unavailable"


def test_a_partial_success_is_told(collector: Any, request_of: Callable[..., bytes]) -> None:
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 2
    collector.body = response.SerializeToString()
    answer = wire.post(collector.url, request_of("a", "b", "c"))
    assert (answer.state, answer.rejected) == ("accepted", 2)
    assert "threw 2 spans away" in answer.reason


def test_a_partial_success_in_json_is_told(collector: Any) -> None:
    collector.body = b'{"partialSuccess": {"rejectedSpans": "1"}}'
    body = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a"}]}]}]}'
    assert wire.post(collector.url, body, content_type=JSON).rejected == 1


def test_an_answer_that_cannot_be_read_is_still_success(collector: Any, request_of: Callable[..., bytes]) -> None:
    collector.body = b"\xff\xffnot protobuf"
    answer = wire.post(collector.url, request_of("a"))
    assert (answer.state, answer.rejected) == ("accepted", 0)


def test_headers_of_the_environment_are_sent_and_never_shown(
    collector: Any, request_of: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=planted%20value, other=1")
    collector.answer = lambda _: 400
    answer = wire.post(collector.url, request_of("a"))
    assert collector.requests[0]["x-token"] == "planted value"
    assert collector.requests[0]["other"] == "1"
    assert "planted" not in answer.reason


def test_loopback_goes_past_a_proxy(
    collector: Any, request_of: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", dead)
    monkeypatch.setenv("http_proxy", dead)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert wire.post(collector.url, request_of("a")).state == "accepted"


def test_a_place_hides_credentials() -> None:
    assert wire.place("http://user:planted@h:4318/v1/traces") == "h:4318"  # nosec B105 - planted

"""A real OTLP/HTTP receiver that can be told to misbehave, and requests to send to it."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Receiver:
    """What the collector does, and what it has seen.

    `answer` gives the status for the names of a request's spans; a request with another status than 200 is not taken.
    `gate` is what a request waits for before it is answered.
    """

    url: str = ""
    answer: Callable[[list[str]], int] = lambda _names: 200
    body: bytes = b""
    gate: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    requests: list[dict[str, str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    services: set[str] = field(default_factory=set)


def _read(content_type: str, body: bytes) -> tuple[list[str], set[str]]:
    if content_type == "application/json":
        document = json.loads(body)
        scopes = [scope for one in document["resourceSpans"] for scope in one["scopeSpans"]]
        return [span["name"] for scope in scopes for span in scope["spans"]], set()
    request = ExportTraceServiceRequest.FromString(body)
    names = [span.name for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    attributes = [pair for one in request.resource_spans for pair in one.resource.attributes]
    return names, {pair.value.string_value for pair in attributes if pair.key == "service.name"}


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """A collector on a free port of the loopback."""
    state = Receiver()
    state.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append({**dict(self.headers.items()), "path": self.path})
            names, services = _read(self.headers["Content-Type"], body)
            state.arrived.set()
            state.gate.wait(30)
            status = state.answer(names)
            if status == 200:
                state.taken.extend(names)
                state.services |= services
            self.send_response(status)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that was killed is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    state.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL where nobody listens; the port stays bound so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that these tests are part of must not change what they see."""
    for name in ("ENDPOINT", "PROTOCOL", "HEADERS", "CERTIFICATE"):
        for signal in ("", "TRACES_"):
            monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{signal}{name}", raising=False)
    for name in ("OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def request_of() -> Callable[..., bytes]:
    """A protobuf request that holds spans of the names given."""

    def make(*names: str) -> bytes:
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        for name in names:
            spans.add(name=name, trace_id=b"1" * 16, span_id=b"2" * 8)
        return bytes(request.SerializeToString())

    return make

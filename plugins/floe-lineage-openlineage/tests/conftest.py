"""A real HTTP server that does what a test tells it to, and events to send to it."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from floe_core.lineage import Dataset, DataSource, EventKind, Job, Run, run_event

AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@dataclass
class Request:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    event: Any


@dataclass
class Server:
    """What the server does with each request, one after the other; the last is repeated."""

    url: str = ""
    script: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


def reply(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer with this status."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a free port of the loopback; answers 201 unless told otherwise."""
    state = Server(script=[reply(201)])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            state.requests.append(Request(self.path, dict(self.headers.items()), json.loads(body)))
            self.do_GET()

        def do_GET(self) -> None:
            (state.script.pop(0) if len(state.script) > 1 else state.script[0])(self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Http(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is part of the tests."""

    http = Http(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    state.ended.set()
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def answers() -> Callable[..., Callable[[BaseHTTPRequestHandler], None]]:
    """Makes an answer: `answers(503, Retry_After="1")`."""
    return reply


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL where nobody listens; the port stays bound so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def event() -> dict[str, Any]:
    """A run event with a parent, an input and an output."""
    source = DataSource("duckdb://orders.duckdb", "duckdb")
    columns = ({"name": "order_id", "type": "bigint", "description": "The order."},)
    product = Run.begin(Job("orders", "orders", job_type="PRODUCT"), AT)
    return run_event(
        EventKind.COMPLETE,
        Run.begin(Job("orders", "model.orders.mart"), AT).id,
        Job("orders", "model.orders.mart", job_type="MODEL", sql="select 1", description="A mart."),
        at=AT,
        inputs=[Dataset(source, "orders.raw.orders")],
        outputs=[Dataset(source, "orders.marts.mart", columns, rows=3)],
        parent=product,
    )

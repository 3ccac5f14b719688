"""A real HTTP server on the loopback that does what a test tells it to: for plugins that post to servers."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Action: TypeAlias = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Request:
    """One request as it arrived; a compressed body unpacked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """A running server.

    Attributes:
        url: Its URL, without a slash at the end.
        script: What it does with each request, one after the other; the last is repeated.
        judge: What is wrong with a request; where there is something, the answer is 400 with these words.
        requests: What arrived.
    """

    url: str = ""
    script: list[Action] = field(default_factory=list)
    judge: Callable[[Request], str] = lambda _: ""
    requests: list[Request] = field(default_factory=list)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Note the request and answer it."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = Request(handler.command, handler.path, dict(handler.headers.items()), body)
        self.requests.append(request)
        wrong = self.judge(request)
        if wrong:
            reply(400, wrong.encode())(handler)
        else:
            (self.script.pop(0) if len(self.script) > 1 else self.script[0])(handler)


def reply(status: int, body: bytes = b"", **headers: str) -> Action:
    """An answer with this status: `reply(503, Retry_After="1")`."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port; answers 200 unless told otherwise."""
    state = Receiver(script=[reply(200, b"ok")])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.handle(self)

        def do_GET(self) -> None:
            state.handle(self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def deaf() -> Iterator[str]:
    """A URL where nobody listens; the port stays bound so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"

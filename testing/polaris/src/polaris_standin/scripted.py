"""A server that answers as a test says: for the faults that a healthy server never shows.

Slow, dead, cut and dripping answers, statuses of gateways, bodies of another shape. For everything that a healthy
Polaris does, take the stand-in itself.
"""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HOP_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; `peer` is the client's port, which tells connections apart."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: int


@dataclass(frozen=True)
class Reply:
    """An answer, and what goes wrong with it.

    Attributes:
        status: HTTP status; 0 closes the connection without a byte.
        body: JSON for a list, a dict or None-as-empty; text and bytes as they are.
        headers: Further headers.
        wait_s: Seconds before the first byte.
        cut_after: Send this many bytes of the body, then close the connection.
        drip_s: Seconds between single bytes of the body.
    """

    status: int = 200
    body: dict[str, Any] | list[Any] | str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0
    cut_after: int | None = None
    drip_s: float = 0

    def raw(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Script: TypeAlias = "Reply | list[Reply] | Callable[[Seen], Reply]"


class ScriptedServer:
    """An HTTP server on a free loopback port; use it as a context manager.

    `script` maps `"METHOD /path"` (without the query), or `"*"`, to a reply, to replies in turn of which the last
    stays, or to a function.
    """

    def __init__(self, script: dict[str, Script] | None = None) -> None:
        self.script: dict[str, Script] = dict(script or {})
        self.seen: list[Seen] = []
        self._turns: dict[str, int] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Listener(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, path: str) -> int:
        """How many requests came for that method and path."""
        return sum(seen.method == method and seen.path.partition("?")[0] == path for seen in self.seen)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        if seconds:
            self._ended.wait(seconds)

    def answer(self, seen: Seen) -> Reply:
        """The reply to a request by the script; 404 of the shape of Polaris's for what the script does not name."""
        key = f"{seen.method} {seen.path.partition('?')[0]}"
        with self._lock:
            self.seen.append(seen)
            chosen = self.script.get(key, self.script.get("*"))
            if isinstance(chosen, list):
                turn = self._turns.get(key, 0)
                self._turns[key] = turn + 1
                chosen = chosen[min(turn, len(chosen) - 1)]
        if chosen is None:
            unknown = {"message": "HTTP 404 Not Found", "type": "NotFoundException", "code": 404}
            return Reply(404, {"error": unknown})
        return chosen if isinstance(chosen, Reply) else chosen(seen)


def forward(url: str, seen: Seen) -> Reply:
    """The reply of the server at `url` to the same request."""
    upstream = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        headers = {name: value for name, value in seen.headers.items() if name.lower() not in HOP_HEADERS}
        upstream.request(seen.method, seen.path, body=seen.body or None, headers=headers)
        answer = upstream.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_HEADERS}
        return Reply(answer.status, answer.read(), kept)
    finally:
        upstream.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def serve(self) -> None:
        """Answer one request, of whatever method."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        seen = Seen(self.command, self.path, dict(self.headers.items()), body, self.client_address[1])
        reply = self.server.scripted.answer(seen)
        if reply.wait_s:
            self.server.scripted.pause(reply.wait_s)
        try:
            if reply.status == 0:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._send(reply)
        except OSError:  # the client went away, which is its right
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        body = reply.raw()
        self.send_response(reply.status)
        if isinstance(reply.body, dict | list):
            self.send_header("Content-Type", "application/json")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.cut_after is not None:
            self.wfile.write(body[: reply.cut_after])
            self.close_connection = True
            return
        size = 1 if reply.drip_s else max(len(body), 1)
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.server.scripted.pause(reply.drip_s)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own word
        """Say nothing."""
        del format, args


for _method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.serve)

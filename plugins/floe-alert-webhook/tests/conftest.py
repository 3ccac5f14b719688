"""Real receivers on the loopback: one that does what a test tells it to, and one that checks what Slack documents."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import pytest
from floe_alert_webhook import sender
from floe_core.plugins import Alert, Severity

Action: TypeAlias = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Request:
    """One request as it arrived."""

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
    """What the receiver does with each request, one after the other; the last is repeated.

    `judge` gives what is wrong with a request; then the answer is 400 with these words.
    """

    url: str = ""
    script: list[Action] = field(default_factory=list)
    judge: Callable[[Request], str] = lambda _: ""
    requests: list[Request] = field(default_factory=list)


def reply(status: int, body: bytes = b"", **headers: str) -> Action:
    """An answer with this status."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts begin at 20 ms, so that retries cost the tests little."""
    monkeypatch.setattr(sender, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port; answers 200 unless told otherwise."""
    state = Receiver(script=[reply(200, b"ok")])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            state.requests.append(request)
            wrong = state.judge(request)
            if wrong:
                reply(400, wrong.encode())(self)
            else:
                (state.script.pop(0) if len(state.script) > 1 else state.script[0])(self)

        def do_GET(self) -> None:
            self.do_POST()

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
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL where nobody listens; the port stays bound so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def answers() -> Callable[..., Action]:
    """Makes an answer: `answers(503, Retry_After="1")`."""
    return reply


@pytest.fixture
def alert() -> Alert:
    """An alert with everything."""
    return Alert(
        "A test of mart_orders failed",
        Severity.CRITICAL,
        "customer-360",
        datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        details={"expected": "0 rows", "seen": "3 rows"},
        labels={"model": "mart_orders"},
        link="https://dagster.example.com/runs/1?a=1&b=2",
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _text(part: Any, limit: int, where: str, kinds: set[str]) -> list[str]:
    wrong = [] if part["type"] in kinds else [f"{where}: type {part['type']}"]
    if not 1 <= _units(part["text"]) <= limit or not part["text"].strip():
        wrong.append(f"{where}: {_units(part['text'])} characters")
    if part["type"] == "mrkdwn":
        bare = re.sub(r"<https?://[^<>|\s]+\|more>", "", part["text"])
        wrong += [f"{where}: unescaped {one}" for one in "<>" if one in bare]
    wrong += [f"{where}: a torn escape" for _ in re.findall(r"&(?!amp;|lt;|gt;)", part["text"])]
    return wrong


def _block(block: Any, where: str) -> list[str]:
    if block["type"] == "header":
        return _text(block["text"], 150, where, {"plain_text"})
    if block["type"] == "section":
        fields = block.get("fields", [])
        wrong = [f"{where}: {len(fields)} fields"] if len(fields) > 10 or not (fields or "text" in block) else []
        texts = [(block["text"], 3000)] if "text" in block else []
        for part, limit in [*texts, *((one, 2000) for one in fields)]:
            wrong += _text(part, limit, where, {"mrkdwn", "plain_text"})
        return wrong
    if block["type"] == "context":
        parts = block["elements"]
        wrong = [] if 1 <= len(parts) <= 10 else [f"{where}: {len(parts)} elements"]
        return [*wrong, *(one for part in parts for one in _text(part, 3000, where, {"mrkdwn", "plain_text"}))]
    return [f"{where}: unknown block {block['type']}"]


def slack_problems(payload: Any) -> str:
    """What Slack would not take, by the limits that its reference of Block Kit documents; empty where nothing."""
    blocks = payload["blocks"]
    wrong = [] if 1 <= len(blocks) <= 50 else [f"{len(blocks)} blocks"]
    if not 1 <= _units(payload["text"]) <= 40_000:
        wrong.append("the fallback text")
    for number, block in enumerate(blocks):
        wrong += _block(block, f"blocks[{number}]")
    return "; ".join(wrong)


@pytest.fixture(scope="session")
def slack_judge() -> Callable[[Any], str]:
    """What Slack would not take of a payload."""
    return slack_problems

from __future__ import annotations

import copy
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from floe_core.errors import ExitCode, MissingToolError, WrongStateError
from floe_ops.clients.jaeger import Jaeger, JaegerTrace, TraceNotFoundError, read_trace
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_FOUND = '{"data":null,"total":0,"errors":[{"code":404,"msg":"trace not found"}]}'
TRACE: dict[str, Any] = {
    "traceID": "0" * 31 + "1",
    "spans": [
        {
            "spanID": "b" * 16,
            "operationName": "child",
            "references": [{"refType": "CHILD_OF", "traceID": "0" * 31 + "1", "spanID": "a" * 16}],
            "startTime": 20,
            "duration": 5,
            "tags": [
                {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                {"key": "count", "type": "int64", "value": 3},
            ],
            "processID": "p2",
        },
        {
            "spanID": "a" * 16,
            "operationName": "root",
            "references": [],
            "startTime": 10,
            "duration": 30,
            "tags": [],
            "processID": "p1",
        },
    ],
    "processes": {"p1": {"serviceName": "floe-platform"}, "p2": {"serviceName": "customer-360"}},
}


class Answers:
    """What the server says, path by path; a list is used up one by one, its last one stays."""

    def __init__(self) -> None:
        self.url = ""
        self.by_path: dict[str, list[tuple[int, str]]] = {}
        self.asked: list[str] = []

    def put(self, path: str, *answers: tuple[int, str]) -> None:
        self.by_path[path] = list(answers)

    def next(self, path: str) -> tuple[int, str]:
        self.asked.append(path)
        known = self.by_path.get(urlsplit(path).path, [(404, NOT_FOUND)])
        return known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture
def server() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answers.next(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answers.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield answers
    http.shutdown()
    http.server_close()
    thread.join()


def _data(*traces: object) -> tuple[int, str]:
    return 200, json.dumps({"data": list(traces), "errors": None})


def test_a_trace_is_read_by_value() -> None:
    trace = read_trace(TRACE)
    root, child = trace.spans
    assert (root.operation, root.parent, root.service, root.status) == ("root", None, "floe-platform", "unset")
    assert (child.operation, child.parent, child.service, child.status) == (
        "child",
        root.id,
        "customer-360",
        "error",
    )
    assert (child.start_us, child.duration_us, child.tags["count"]) == (20, 5, 3)
    assert trace.named("child") == trace.children(root) == (child,)
    assert trace.ancestors(child) == (root,)


def test_a_span_that_arrived_twice_is_held_once() -> None:
    twice = copy.deepcopy(TRACE)
    twice["spans"].append(twice["spans"][0])
    assert len(read_trace(twice).spans) == 2


def test_ancestors_of_a_circle_end() -> None:
    circle = copy.deepcopy(TRACE)
    circle["spans"][1]["references"] = [{"refType": "CHILD_OF", "spanID": "b" * 16}]
    trace = read_trace(circle)
    assert {span.operation for span in trace.ancestors(trace.spans[0])} == {"root", "child"}


@given(st.sampled_from(["spans", "processes", "traceID"]), st.none() | st.integers() | st.just([{}]))
def test_another_shape_is_named(field: str, value: object) -> None:
    broken = {**TRACE, field: value}
    if field == "traceID":
        assert read_trace(broken).id == str(value)
        return
    with pytest.raises(WrongStateError, match="shape"):
        read_trace(broken)


def test_an_unknown_trace_is_none(server: Answers) -> None:
    assert Jaeger(server.url).trace("0" * 32) is None


def test_services_and_traces_of_one(server: Answers) -> None:
    server.put("/api/services", _data("floe-platform"))
    server.put("/api/traces", _data(TRACE))
    jaeger = Jaeger(server.url + "/")
    assert jaeger.services() == ("floe-platform",)
    assert [trace.id for trace in jaeger.traces("floe-platform", limit=3)] == [TRACE["traceID"]]
    assert server.asked[-1] == "/api/traces?service=floe-platform&limit=3"


def test_no_services_yet(server: Answers) -> None:
    server.put("/api/services", (200, '{"data":null}'))
    assert Jaeger(server.url).services() == ()


@pytest.mark.parametrize("answer", [(200, "<html>"), (200, "[]"), (500, '{"errors": [{"msg": "storage broke"}]}')])
def test_another_server_is_named_with_its_answer(server: Answers, answer: tuple[int, str]) -> None:
    server.put("/api/services", answer)
    with pytest.raises(WrongStateError) as caught:
        Jaeger(server.url).services()
    assert caught.value.exit_code is ExitCode.WRONG
    assert answer[1] in caught.value.why
    assert f"HTTP {answer[0]}" in caught.value.why


def test_nobody_answers() -> None:
    with pytest.raises(MissingToolError) as caught:
        Jaeger("http://127.0.0.1:1").services()
    assert caught.value.exit_code is ExitCode.MISSING


def _wait(server: Answers, spans: int, deadline_s: float) -> JaegerTrace:
    jaeger = Jaeger(server.url)
    return jaeger.wait_for_trace(
        TRACE["traceID"], lambda trace: len(trace.spans) == spans, deadline_s, wanted=f"{spans} spans"
    )


def test_waiting_ends_when_the_trace_is_whole(server: Answers) -> None:
    half = {**TRACE, "spans": TRACE["spans"][:1]}
    path = f"/api/traces/{TRACE['traceID']}"
    server.put(path, (404, NOT_FOUND), (500, "starting"), _data(half), _data(TRACE))
    assert len(_wait(server, 2, 10).spans) == 2
    assert len(server.asked) == 4


def test_waiting_in_vain_shows_jaegers_last_answer(server: Answers) -> None:
    start = time.monotonic()
    with pytest.raises(TraceNotFoundError) as caught:
        _wait(server, 2, 0.3)
    assert time.monotonic() - start < 10
    assert caught.value.exit_code is ExitCode.TIMEOUT
    assert NOT_FOUND in caught.value.why
    assert "2 spans" in caught.value.what
    assert len(server.asked) >= 3


def test_waiting_for_a_dead_jaeger_says_so() -> None:
    with pytest.raises(TraceNotFoundError, match="does not answer"):
        Jaeger("http://127.0.0.1:1").wait_for_trace("0" * 32, lambda _: True, 0.2)

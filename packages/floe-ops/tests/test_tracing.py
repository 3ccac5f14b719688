from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import UsageError
from floe_ops import targets, tracing
from floe_ops.targets import Platform
from floe_telemetry_otlp.exporter import Totals
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
MINE = ("FLOE_", "OTEL_", "TRACEPARENT", "TRACESTATE")

WORK = """
from floe_ops.tracing import started
from floe_core.telemetry import span
with started(), span("outer"), started(), span("inner"):
    pass
"""


def _run(source: str, root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `source` with `root` as the project's root and none of the variables of a run that we may be part of."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(MINE)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**inherited, "FLOE_ROOT": str(root), **environment},
    )


def _spooled(root: Path) -> dict[str, Any]:
    """The spans in the spool, by name."""
    found: dict[str, Any] = {}
    for path in (root / ".floe" / "spool").glob("*.pb"):
        found.update(_named(path.read_bytes()))
    return found


def _named(body: bytes) -> dict[str, Any]:
    request = ExportTraceServiceRequest.FromString(body)
    return {
        span.name: span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
    }


@pytest.fixture
def collector() -> Iterator[tuple[str, dict[str, Any]]]:
    """A URL that takes traces, and the spans it took by name."""
    taken: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.update(_named(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", taken
    server.shutdown()
    server.server_close()
    thread.join()


def test_outside_of_a_run_nothing_is_imported_or_written(tmp_path: Path) -> None:
    source = WORK + "import sys; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    done = _run(source, tmp_path)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert not (tmp_path / ".floe").exists()


def test_in_a_run_without_a_collector_spans_are_spooled_and_that_is_said(tmp_path: Path) -> None:
    done = _run(WORK, tmp_path, FLOE_RUN_DIR=str(tmp_path), FLOE_RUN_ID="r1", TRACEPARENT=PARENT)
    spans = _spooled(tmp_path)
    assert set(spans) == {"outer", "inner"}
    assert spans["outer"].trace_id.hex() == TRACE
    assert spans["outer"].parent_span_id.hex() == SPAN
    assert spans["inner"].parent_span_id == spans["outer"].span_id
    assert "2 spans were spooled (no collector is known)" in done.stderr


def test_with_a_collector_spans_arrive_and_nothing_is_said(
    tmp_path: Path, collector: tuple[str, dict[str, Any]]
) -> None:
    url, taken = collector
    done = _run(WORK, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert set(taken) == {"outer", "inner"}
    assert done.stderr == ""
    assert _spooled(tmp_path) == {}


def test_the_next_process_sends_what_was_spooled(tmp_path: Path, collector: tuple[str, dict[str, Any]]) -> None:
    url, taken = collector
    _run(WORK.replace("outer", "early"), tmp_path, FLOE_RUN_DIR=str(tmp_path))
    assert "early" in _spooled(tmp_path)
    _run(WORK, tmp_path, FLOE_RUN_DIR=str(tmp_path), OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert {"early", "outer"} <= set(taken)
    assert _spooled(tmp_path) == {}


@pytest.mark.parametrize("parent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_parent_that_is_none_starts_a_trace_of_its_own(monkeypatch: pytest.MonkeyPatch, parent: str) -> None:
    monkeypatch.setenv("TRACEPARENT", parent)
    assert not trace.get_current_span(tracing._parent()).get_span_context().is_valid
    monkeypatch.setenv("TRACEPARENT", PARENT)
    assert trace.get_current_span(tracing._parent()).get_span_context().trace_id == int(TRACE, 16)


def test_what_was_spooled_and_sent_after_all_is_not_said(tmp_path: Path, collector: tuple[str, dict[str, Any]]) -> None:
    source = """
import os
from floe_ops.tracing import started
from floe_core.telemetry import span
with started(), span("before the platform"):
    pass
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = os.environ["LATER"]
with started(), span("after"):
    pass
"""
    url, taken = collector
    done = _run(source, tmp_path, FLOE_RUN_DIR=str(tmp_path), LATER=url)
    assert set(taken) == {"before the platform", "after"}
    assert done.stderr == ""


def test_disabled_is_honoured(tmp_path: Path) -> None:
    done = _run(WORK, tmp_path, FLOE_RUN_DIR=str(tmp_path), OTEL_SDK_DISABLED="true")
    assert (_spooled(tmp_path), done.stderr) == ({}, "")


def test_a_read_only_project_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / ".floe").write_text("a file where a folder should be", encoding="utf-8")
    done = _run(WORK, tmp_path, FLOE_RUN_DIR=str(tmp_path))
    assert "2 spans were dropped" in done.stderr


def test_a_child_process_continues_the_trace(tmp_path: Path) -> None:
    source = """
from floe_ops import tracing
from floe_core.telemetry import span
print(tracing.environment())
with tracing.started(), span("outer") as current:
    print(f"{current.get_span_context().span_id:016x}")
    print(tracing.environment()["TRACEPARENT"])
"""
    done = _run(source, tmp_path, FLOE_RUN_DIR=str(tmp_path), TRACEPARENT=PARENT)
    outside, span, handed = done.stdout.splitlines()
    assert outside == "{}"
    assert handed == f"00-{TRACE}-{span}-01"


def test_a_failure_inside_passes_on(tmp_path: Path) -> None:
    source = """
from floe_ops.tracing import started
from floe_core.telemetry import span
try:
    with started(), span("broken"):
        raise LookupError("mine")
except LookupError as error:
    print(error)
"""
    assert _run(source, tmp_path, FLOE_RUN_DIR=str(tmp_path)).stdout == "mine\n"
    assert _spooled(tmp_path)["broken"].status.code == 2


class _Somewhere:
    """In a target's place: its platform comes and goes."""

    def __init__(self) -> None:
        self.answers: list[Platform | UsageError | None] = []

    def find(self) -> Platform | None:
        answer = self.answers.pop(0)
        if isinstance(answer, UsageError):
            raise answer
        return answer


def test_the_platforms_collector_is_found_when_it_comes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    somewhere = _Somewhere()
    here = Platform("somewhere", "stand-in", {"otlp-http": "http://127.0.0.1:4318"})
    somewhere.answers = [None, UsageError("FLOE_TARGET is off"), here, None]
    monkeypatch.setattr(targets, "current", lambda: somewhere)
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    seen = []
    for _ in range(4):
        tracing._PLATFORM.forget()
        seen.append(tracing.collector_url())
        assert tracing.collector_url() == seen[-1], "asked again within the same moment"
    tracing._PLATFORM.forget()
    assert seen == [None, None, "http://127.0.0.1:4318/v1/traces", None]


def test_the_environment_comes_before_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://named:4318")
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_PROTOCOL", raising=False)
    assert tracing.collector_url() == "http://named:4318/v1/traces"


def test_flushing_without_a_collector_says_how_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    monkeypatch.setattr(tracing, "collector_url", lambda: None)
    folder = tracing.spool_folder()
    folder.mkdir(parents=True)
    (folder / "a.pb").write_bytes(b"x")
    result = tracing.flush_spool()
    assert (result.left, result.notes) == (1, ("no collector is running",))


@pytest.mark.parametrize(
    ("totals", "sentence"),
    [
        (Totals(sent=3), ""),
        (Totals(spooled=2, reason="why"), "traces: 2 spans were spooled (why)"),
        (
            Totals(spooled=1, dropped=2, reason="why"),
            "traces: 1 span was spooled and 2 spans were dropped (why)",
        ),
    ],
)
def test_what_did_not_arrive_is_said(totals: Totals, sentence: str) -> None:
    assert tracing.summary(totals) == sentence

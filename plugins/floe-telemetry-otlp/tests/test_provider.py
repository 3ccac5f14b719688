from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from floe_telemetry_otlp import wire
from floe_telemetry_otlp.provider import Telemetry, build

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _build(url: str | None, folder: Path, **options: Any) -> Telemetry:
    full = wire.traces_url(url) if url else None
    return build(spool=folder, url=lambda: full, **options)


def _span(telemetry: Telemetry, name: str) -> None:
    with telemetry.provider.get_tracer("test").start_as_current_span(name):
        pass


def test_a_span_arrives_with_its_service(tmp_path: Path, collector: Any) -> None:
    telemetry = _build(collector.url, tmp_path)
    _span(telemetry, "a")
    telemetry.flush()
    assert (collector.taken, collector.services) == (["a"], {"floe-platform"})
    telemetry.provider.shutdown()


def test_the_usual_variables_are_honoured(tmp_path: Path, collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=planets")
    telemetry = build(spool=tmp_path, attributes={"floe.run.id": "r1"})
    attributes = telemetry.provider.resource.attributes
    assert (attributes["team"], attributes["floe.run.id"]) == ("planets", "r1")
    _span(telemetry, "a")
    telemetry.flush()
    assert (collector.taken, collector.services) == (["a"], {"mine"})
    telemetry.provider.shutdown()


def test_an_explicit_service_beats_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    telemetry = build(spool=tmp_path, service="given")
    assert telemetry.provider.resource.attributes["service.name"] == "given"
    telemetry.provider.shutdown()


def test_a_flush_sends_what_waited_once_the_collector_is_there(tmp_path: Path, collector: Any) -> None:
    away = _build(None, tmp_path)
    _span(away, "early")
    assert away.flush().left == 1
    away.provider.shutdown()
    back = _build(collector.url, tmp_path)
    _span(back, "late")
    assert back.flush().sent == 1
    assert sorted(collector.taken) == ["early", "late"]
    back.provider.shutdown()


def test_a_flush_against_a_dead_collector_asks_it_once(tmp_path: Path, collector: Any) -> None:
    collector.answer = lambda _: 503
    telemetry = _build(collector.url, tmp_path)
    _span(telemetry, "a")
    assert telemetry.flush().left == 1
    assert len(collector.requests) == 1
    telemetry.provider.shutdown()


def test_disabled_means_no_spans_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    telemetry = build(spool=tmp_path)
    _span(telemetry, "a")
    telemetry.flush()
    assert telemetry.totals.spooled == 0
    assert not list(tmp_path.iterdir())
    telemetry.provider.shutdown()


JOINS = """
import sys
from pathlib import Path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
theirs = TracerProvider()
trace.set_tracer_provider(theirs)
from floe_telemetry_otlp.provider import install
telemetry = install(spool=Path(sys.argv[1]), url=lambda: None)
assert telemetry.provider is theirs
with trace.get_tracer("x").start_as_current_span("a"):
    pass
print(telemetry.flush().left)
"""

TWICE = """
import sys
from pathlib import Path
from opentelemetry import trace
from floe_telemetry_otlp.provider import install
def span(name):
    with trace.get_tracer("x").start_as_current_span(name):
        pass
first = install(spool=Path(sys.argv[1]))
assert install(spool=Path(sys.argv[1])) is first
span("once")
first.shutdown()
first.shutdown()
again = install(spool=Path(sys.argv[1]))
assert again is not first
span("again")
again.flush()
"""

EXITS = """
import sys
from pathlib import Path
from opentelemetry import trace
from floe_telemetry_otlp.provider import install
install(spool=Path(sys.argv[1]))
with trace.get_tracer("x").start_as_current_span("last words"):
    pass
"""


def _run(source: str, *words: object, **environment: str) -> str:
    command = [sys.executable, "-W", "error", "-c", source, *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_a_provider_that_is_there_is_joined_not_ignored(tmp_path: Path) -> None:
    assert _run(JOINS, tmp_path) == "1\n"


def test_installing_twice_sends_no_span_twice_and_works_after_a_shutdown(tmp_path: Path, collector: Any) -> None:
    _run(TWICE, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert collector.taken == ["once", "again"]


def test_a_process_that_just_ends_has_sent_its_spans(tmp_path: Path, collector: Any) -> None:
    _run(EXITS, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert collector.taken == ["last words"]


def test_product_work_with_a_dead_collector_ends_well_and_keeps_its_spans(tmp_path: Path, dead: str) -> None:
    _run(EXITS, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=dead)
    assert len(list(tmp_path.glob("*.pb"))) == 1

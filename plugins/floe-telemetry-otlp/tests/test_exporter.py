from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from floe_telemetry_otlp import wire
from floe_telemetry_otlp.exporter import SpoolingExporter
from floe_telemetry_otlp.spool import Spool, flush
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

if TYPE_CHECKING:
    from pathlib import Path

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


def _spans(*names: str) -> list[ReadableSpan]:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    made = [tracer.start_span(name) for name in names]
    for span in made:
        span.end()
    return [span for span in made if isinstance(span, ReadableSpan)]


def _exporter(url: str | None, folder: Path, *, timeout_s: float = 1.0) -> SpoolingExporter:
    full = wire.traces_url(url) if url else None
    return SpoolingExporter(lambda: full, Spool(folder), timeout_s=timeout_s)


def test_a_collector_gets_the_spans(tmp_path: Path, collector: Any) -> None:
    exporter = _exporter(collector.url, tmp_path)
    assert exporter.export(_spans("a", "b")) is SUCCESS
    assert collector.taken == ["a", "b"]
    assert (exporter.totals.sent, exporter.totals.spooled, exporter.totals.dropped) == (2, 0, 0)
    assert not list(tmp_path.iterdir())


def test_without_a_collector_spans_wait_and_arrive_later(tmp_path: Path, collector: Any) -> None:
    exporter = _exporter(None, tmp_path)
    assert exporter.export(_spans("a", "b")) is SUCCESS
    assert (exporter.totals.sent, exporter.totals.spooled) == (0, 2)
    assert exporter.totals.reason == "no collector is known"
    assert flush(collector.url, tmp_path).spans == 2
    assert collector.taken == ["a", "b"]


def test_a_collector_that_comes_up_meanwhile_is_found(tmp_path: Path, collector: Any) -> None:
    urls: list[str] = []
    exporter = SpoolingExporter(lambda: urls[0] if urls else None, Spool(tmp_path))
    exporter.export(_spans("before"))
    urls.append(wire.traces_url(collector.url))
    exporter.export(_spans("after"))
    assert collector.taken == ["after"]
    assert (exporter.totals.sent, exporter.totals.spooled) == (1, 1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_collector_in_trouble_means_spooling(tmp_path: Path, collector: Any, status: int) -> None:
    collector.answer = lambda _: status
    exporter = _exporter(collector.url, tmp_path)
    assert exporter.export(_spans("a")) is SUCCESS
    assert exporter.totals.spooled == 1
    assert str(status) in exporter.totals.reason


def test_a_slow_collector_costs_one_timeout_and_then_rests(tmp_path: Path, collector: Any) -> None:
    collector.gate.clear()
    exporter = _exporter(collector.url, tmp_path, timeout_s=0.1)
    for name in "abc":
        assert exporter.export(_spans(name)) is SUCCESS
    assert len(collector.requests) == 1
    assert exporter.totals.spooled == 3
    collector.gate.set()
    exporter.wake()
    exporter.export(_spans("d"))
    assert exporter.totals.sent == 1


def test_what_is_refused_for_good_is_dropped_and_counted(tmp_path: Path, collector: Any) -> None:
    collector.answer = lambda _: 400
    exporter = _exporter(collector.url, tmp_path)
    assert exporter.export(_spans("a")) is FAILURE
    assert (exporter.totals.dropped, exporter.totals.spooled) == (1, 0)
    assert "HTTP 400" in exporter.totals.reason
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_spans_are_dropped_and_counted(tmp_path: Path, dead: str) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    exporter = _exporter(dead, tmp_path / "file")
    assert exporter.export(_spans("a", "b")) is FAILURE
    assert exporter.totals.dropped == 2
    assert "refused or lost the connection, and the spool:" in exporter.totals.reason


def test_a_full_spool_says_what_went(tmp_path: Path) -> None:
    exporter = SpoolingExporter(lambda: None, Spool(tmp_path, limit=1))
    exporter.export(_spans("a"))
    assert exporter.totals.dropped == 1
    assert "the spool was full" in exporter.totals.reason

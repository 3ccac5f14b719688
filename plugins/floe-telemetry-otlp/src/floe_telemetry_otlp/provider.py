"""Setting up the OpenTelemetry SDK for a process: one provider, one exporter, one spool."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from floe_telemetry_otlp import wire
from floe_telemetry_otlp.exporter import SpoolingExporter
from floe_telemetry_otlp.spool import FlushResult, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.util.types import AttributeValue

    from floe_telemetry_otlp.exporter import Totals

SERVICE = "floe-platform"
DELAY_MS = 200.0
FLUSH_S = 5.0
REQUEST_S = 2.0


@dataclass
class Telemetry:
    """The tracing of a process: its provider, and what becomes of its spans."""

    provider: TracerProvider
    exporter: SpoolingExporter
    processor: SpanProcessor
    spool: Spool
    url: Callable[[], str | None]
    closed: bool = False

    @property
    def totals(self) -> Totals:
        """Spans of this process so far: sent, spooled, dropped."""
        return self.exporter.totals

    def flush(self, *, deadline_s: float = FLUSH_S) -> FlushResult:
        """Export every ended span now, then send the spool if the collector takes spans; never raises."""
        self.exporter.wake()
        before = self.totals.spooled
        self.provider.force_flush(int(deadline_s * 1000))
        url = self.url()
        if url is None or self.totals.spooled > before:
            return FlushResult(left=len(self.spool.pending()))
        return self.spool.flush(url, timeout_s=REQUEST_S, deadline_s=deadline_s)

    def shutdown(self) -> None:
        """Export what is pending and end our thread; the provider stays, others may use it too."""
        self.closed = True
        self.processor.shutdown()


_installed: Telemetry | None = None


def build(
    *,
    spool: Path,
    url: Callable[[], str | None] = wire.environment_url,
    service: str | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Telemetry:
    """A provider of its own, not yet the process's; a test or a check uses it directly.

    Args:
        spool: Folder for spans that no collector takes.
        url: Gives the full URL for traces at export time; by default what the environment names.
        service: `service.name`; by default `OTEL_SERVICE_NAME`, else `floe-platform`.
        attributes: More attributes of the resource; `OTEL_RESOURCE_ATTRIBUTES` is merged below them.
    """
    name = service or os.environ.get("OTEL_SERVICE_NAME") or SERVICE
    provider = TracerProvider(resource=Resource.create({**(attributes or {}), "service.name": name}))
    return _attached(provider, Spool(spool), url)


def install(
    *,
    spool: Path,
    url: Callable[[], str | None] = wire.environment_url,
    service: str | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Telemetry:
    """Make the process's global provider export through a spool; arguments as for `build`.

    OpenTelemetry lets the global provider be set once. Where another part of the process has set one already, ours
    joins it as one more processor instead of being ignored in silence; a second call gets the first one's telemetry,
    so that no span is sent twice.
    """
    global _installed  # noqa: PLW0603 - OpenTelemetry's provider is one a process, and this is its other half
    present = trace.get_tracer_provider()
    if _installed is not None and not _installed.closed:
        return _installed
    if isinstance(present, TracerProvider):
        _installed = _attached(present, Spool(spool), url)
    else:
        _installed = build(spool=spool, url=url, service=service, attributes=attributes)
        trace.set_tracer_provider(_installed.provider)
    return _installed


def _attached(provider: TracerProvider, spool: Spool, url: Callable[[], str | None]) -> Telemetry:
    exporter = SpoolingExporter(url, spool)
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MS)
    provider.add_span_processor(processor)
    return Telemetry(provider, exporter, processor, spool, url)

"""The exporter: to the collector when one answers, else into the spool, and never in the way of work."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from floe_telemetry_otlp import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from floe_telemetry_otlp.spool import Spool

FIRST_REST_S = 0.5
LONGEST_REST_S = 30.0


@dataclass(frozen=True)
class Totals:
    """Spans of this process: sent, waiting in the spool, lost; and the last reason for the latter two."""

    sent: int = 0
    spooled: int = 0
    dropped: int = 0
    reason: str = ""


class SpoolingExporter(SpanExporter):
    """Sends batches of spans over OTLP/HTTP and spools what is not taken.

    After a collector did not answer it is left alone for a moment that doubles from 0.5 s to 30 s, so that
    a slow one costs one timeout now and then and not one a batch.

    Args:
        url: Gives the full URL for traces, or None while there is no collector; asked at every export,
            because the platform may come up while the process runs.
        spool: Where spans wait.
        timeout_s: Seconds that one request may take.
    """

    def __init__(self, url: Callable[[], str | None], spool: Spool, *, timeout_s: float = 1.0) -> None:
        self._url = url
        self._spool = spool
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._totals = Totals()
        self._rest_s = 0.0
        self._rest_until = 0.0

    @property
    def totals(self) -> Totals:
        """What became of this process's spans so far."""
        with self._lock:
            return self._totals

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send or spool one batch; FAILURE only where spans were lost."""
        body = encode_spans(spans).SerializeToString()
        answer = self._send(body)
        if answer.state == "accepted":
            self._count(sent=len(spans) - answer.rejected, dropped=answer.rejected, reason=answer.reason)
            return SpanExportResult.SUCCESS
        if answer.state == "refused":
            self._count(dropped=len(spans), reason=answer.reason)
            return SpanExportResult.FAILURE
        return self._keep(body, len(spans), answer.reason)

    def shutdown(self) -> None:
        """Nothing is held open between exports."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing is held back between exports."""
        return True

    def wake(self) -> None:
        """Forget a rest: the next export tries the collector again."""
        self._rest_s = self._rest_until = 0.0

    def _send(self, body: bytes) -> wire.Answer:
        url = self._url()
        if url is None:
            return wire.Answer("unavailable", "no collector is known")
        if time.monotonic() < self._rest_until:
            return wire.Answer("unavailable", f"{wire.place(url)} did not answer a moment ago")
        answer = wire.post(url, body, timeout_s=self._timeout_s)
        if answer.state in {"failing", "unavailable"}:
            self._rest_s = min(max(self._rest_s * 2, FIRST_REST_S), LONGEST_REST_S)
            self._rest_until = time.monotonic() + self._rest_s
        else:
            self.wake()
        return answer

    def _keep(self, body: bytes, spans: int, reason: str) -> SpanExportResult:
        try:
            lost = self._spool.write(body)
        except OSError as error:
            self._count(dropped=spans, reason=f"{reason}, and the spool: {error.strerror or error}")
            return SpanExportResult.FAILURE
        if lost:
            reason += ", and the spool was full: its oldest spans went"
        self._count(spooled=spans, dropped=lost, reason=reason)
        return SpanExportResult.SUCCESS

    def _count(self, *, sent: int = 0, spooled: int = 0, dropped: int = 0, reason: str = "") -> None:
        with self._lock:
            now = self._totals
            self._totals = replace(
                now,
                sent=now.sent + sent,
                spooled=now.spooled + spooled,
                dropped=now.dropped + dropped,
                reason=reason or now.reason,
            )

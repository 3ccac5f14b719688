"""The round trip of a trace: sent to the collector, found in Jaeger by its id, compared by value.

The trace has a fresh random id and its own values, so nothing that was there before can stand in for it,
and it goes to the COLLECTOR: that Jaeger has it proves the collector's export too.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, WrongStateError

from floe_ops.clients.jaeger import Jaeger

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

    from floe_ops.clients.jaeger import JaegerTrace

SERVICE = "floe-platform"
DEADLINE_S = 15.0
# Name, the name of the parent: a small tree with two levels and two siblings.
SHAPE = (
    ("roundtrip", None),
    ("roundtrip compile", "roundtrip"),
    ("roundtrip build", "roundtrip"),
    ("roundtrip model", "roundtrip build"),
)


@dataclass(frozen=True)
class RoundTrip:
    """A round trip that came out right.

    Attributes:
        trace_id: 32 hex digits.
        spans: Spans sent and found equal.
        found_ms: Milliseconds from the end of the flush to the answer with the whole trace.
        services: All services that Jaeger knows.
    """

    trace_id: str
    spans: int
    found_ms: float
    services: tuple[str, ...]


def verify(collector: str, jaeger: str, *, deadline_s: float = DEADLINE_S) -> RoundTrip:
    """Send a trace to the collector at the base URL `collector` and find it in the Jaeger at `jaeger`.

    Raises:
        MissingToolError: The collector did not take the trace.
        TraceNotFoundError: Jaeger did not have it whole in time; holds Jaeger's last answer.
        WrongStateError: It arrived altered; names each difference.
    """
    attributes = values()
    trace_id = _send(collector, attributes)
    return find(jaeger, trace_id, attributes, deadline_s=deadline_s)


def values() -> dict[str, AttributeValue]:
    """Attributes of every type, with fresh random values."""
    return {
        "floe.roundtrip.nonce": secrets.token_hex(8),
        "floe.roundtrip.count": secrets.randbelow(1 << 40),
        "floe.roundtrip.ratio": 0.125,
        "floe.roundtrip.truth": True,
        "floe.roundtrip.stages": ("LOAD", "VALIDATE"),
    }


def plant(tracer: Tracer, attributes: dict[str, AttributeValue]) -> str:
    """Make the tree of `SHAPE` in a trace of its own, `attributes` on each span; returns the trace's id."""
    from opentelemetry import trace
    from opentelemetry.context import Context

    made: dict[str | None, Context] = {None: Context()}
    spans = []
    for name, parent in SHAPE:
        span = tracer.start_span(name, context=made[parent], attributes=attributes)
        made[name] = trace.set_span_in_context(span, Context())
        spans.append(span)
    for span in reversed(spans):
        span.end()
    return f"{spans[0].get_span_context().trace_id:032x}"


def find(
    jaeger: str, trace_id: str, attributes: dict[str, AttributeValue], *, deadline_s: float = DEADLINE_S
) -> RoundTrip:
    """Find a planted trace and hold it to what was sent; call it right after the flush. Raises as `verify`."""
    flushed = time.monotonic()
    client = Jaeger(jaeger)
    trace = client.wait_for_trace(
        trace_id, lambda found: len(found.spans) == len(SHAPE), deadline_s, wanted=f"all {len(SHAPE)} spans"
    )
    found_ms = (time.monotonic() - flushed) * 1000
    wrong = differences(trace, attributes)
    if wrong:
        raise WrongStateError(
            f"the trace {trace_id} arrived altered",
            where=jaeger,
            why="; ".join(wrong),
            remedy="look for a processor in the collector's configuration that changes spans",
        )
    return RoundTrip(trace_id, len(trace.spans), round(found_ms, 1), client.services())


def differences(trace: JaegerTrace, attributes: dict[str, AttributeValue]) -> list[str]:
    """What differs between `trace` and the tree of `SHAPE` with `attributes` on each span."""
    names = {span.id: span.operation for span in trace.spans}
    found = {(span.operation, names.get(span.parent or "", span.parent)) for span in trace.spans}
    wrong = [f"span and parent {pair} sent, not found" for pair in SHAPE if pair not in found]
    surplus = sorted(found.difference(SHAPE), key=str)
    wrong += [f"span and parent {pair} found, not sent" for pair in surplus]
    for span in trace.spans:
        if span.service != SERVICE:
            wrong.append(f"{span.operation}: service is {span.service!r}, not {SERVICE!r}")
        for key, value in attributes.items():
            sent = json.dumps(value, separators=(",", ":")) if isinstance(value, tuple) else value
            if span.tags.get(key) != sent:
                wrong.append(f"{span.operation}: {key} is {span.tags.get(key)!r}, not {sent!r}")
    return wrong


def _send(collector: str, attributes: dict[str, AttributeValue]) -> str:
    """Send the tree and return its id when the collector has taken all of it."""
    from floe_telemetry_otlp.provider import build
    from floe_telemetry_otlp.wire import traces_url

    url = traces_url(collector)
    with tempfile.TemporaryDirectory(prefix="floe-roundtrip-") as folder:
        telemetry = build(spool=Path(folder), url=lambda: url, service=SERVICE)
        try:
            trace_id = plant(telemetry.provider.get_tracer("floe"), attributes)
            telemetry.flush()
        finally:
            telemetry.provider.shutdown()
        totals = telemetry.totals
    if totals.sent != len(SHAPE):
        raise MissingToolError(
            "the collector did not take the trace",
            where=url,
            why=totals.reason or f"{totals.sent} of {len(SHAPE)} spans were taken",
            remedy="invoke platform.up starts it; OTEL_SDK_DISABLED must not be set",
        )
    return trace_id

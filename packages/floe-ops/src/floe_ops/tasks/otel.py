"""Invoke tasks of the namespace `otel`."""

from __future__ import annotations

import json as encoder
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops import evidence, shown, targets, tracing
from floe_ops.console import err, say
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from floe_telemetry_otlp.spool import FlushResult
    from invoke.context import Context

    from floe_ops.roundtrip import RoundTrip
    from floe_ops.targets import Platform


@task(help={"json": "print one JSON object instead of words"})
def verify(_context: Context, *, json: bool = False) -> None:
    """Send a trace to the collector and find it in Jaeger by its id, equal in every value; sends the spool too."""
    from floe_ops import roundtrip

    platform = _platform()
    flushed = tracing.flush_spool(platform.urls["otlp-http"])
    result = roundtrip.verify(platform.urls["otlp-http"], platform.urls["jaeger-query"])
    evidence.record(
        "WU4-AC4",
        "passed",
        f"trace {result.trace_id}: {result.spans} spans sent to the collector, found equal in Jaeger "
        f"{result.found_ms:g} ms after the flush",
        source="otel.verify",
    )
    _print(result, flushed, as_json=json)


def _platform() -> Platform:
    target = targets.current()
    platform = target.find()
    if platform is None:
        raise MissingToolError("no platform is running", where=f"target {target.name}", remedy="invoke platform.up")
    return platform


def _print(result: RoundTrip, flushed: FlushResult, *, as_json: bool) -> None:
    for note in flushed.notes:
        err().print(f"spool: {note}", markup=False, style="yellow")
    if as_json:
        say(encoder.dumps({"roundtrip": asdict(result), "spool": asdict(flushed)}, sort_keys=True))
        return
    say(f"spool: {flushed.sent} files ({flushed.spans} spans) sent, {flushed.left} left")
    say(shown.roundtrip(result))

"""The end of a run: its trace read back from Jaeger while it is still up, then the lease on the services given up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError

from floe_ops import console

if TYPE_CHECKING:
    from floe_ops.clients.jaeger import JaegerTrace
    from floe_ops.targets.interface import Platform

PATIENCE_S = 5.0


def trace_of(trace_id: str) -> dict[str, Any] | None:
    """Send what is spooled and read the run's trace back, as a waterfall; None where no platform is up.

    The report is never failed by its trace: a Jaeger that does not answer is said in one line.
    """
    from floe_ops import targets

    try:
        platform = targets.current().find()
        return _read(trace_id, platform) if platform else None
    except FloeError as error:
        console.say(f"the run's trace could not be read back: {error}")
        return None


def _read(trace_id: str, platform: Platform) -> dict[str, Any]:
    from floe_ops import tracing, waterfall
    from floe_ops.clients.jaeger import Jaeger

    def whole(trace: JaegerTrace) -> bool:
        return bool(trace.named("nox"))

    tracing.flush_spool(platform.urls["otlp-http"])
    trace = Jaeger(platform.urls["jaeger-query"]).wait_for_trace(trace_id, whole, deadline_s=PATIENCE_S)
    ui = os.environ.get("FLOE_JAEGER_UI", "").rstrip("/")
    return waterfall.build(trace).as_dict() | {"ui": f"{ui}/trace/{trace_id}" if ui.startswith("http") else ""}


def release(pid: int) -> None:
    """End the services that the run of process `pid` started, and wait until they are gone."""
    from floe_ops import targets

    try:
        targets.current().release(pid)
    except FloeError as error:
        console.say(str(error))

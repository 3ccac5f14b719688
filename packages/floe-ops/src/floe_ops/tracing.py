"""The trace of a process: started once, continued from `TRACEPARENT`, flushed at the end.

Outside of a run, and with no collector named in the environment, nothing is imported and nothing is made. The
collector is looked up at export time, because `platform.up` may bring it up while the process runs; spans
made before are spooled under `.floe/spool/` and sent with the next flush. Telemetry never fails the work:
what could not be sent is said once, when the process ends.
"""

from __future__ import annotations

import atexit
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from floe_ops import project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_telemetry_otlp.exporter import Totals
    from floe_telemetry_otlp.provider import Telemetry
    from floe_telemetry_otlp.spool import FlushResult
    from opentelemetry.context import Context

ASK_AGAIN_S = 0.5
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
RESOURCE = {"floe.run.id": "FLOE_RUN_ID", "floe.session": "FLOE_SESSION"}
OFF = "true"


@contextmanager
def started(*, always: bool = False) -> Iterator[None]:
    """Spans made inside of this block are exported or spooled; nests, and costs nothing outside of a run.

    Args:
        always: Trace also outside of a run, as the acceptance suite does.
    """
    if not (always or _wanted()) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == OFF:
        yield
        return
    from opentelemetry import context, trace

    telemetry = _telemetry()
    outermost = not trace.get_current_span().get_span_context().is_valid
    token = context.attach(_parent()) if outermost else None
    try:
        yield
    finally:
        if token is not None:
            context.detach(token)
            _PLATFORM.forget()
            telemetry.flush()


def environment() -> dict[str, str]:
    """What a child process needs to continue the current trace (`TRACEPARENT`); empty outside of a span."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {name.upper(): value for name, value in carrier.items()}


def flush() -> None:
    """Send what this process has finished so far; nothing where it has started no tracing."""
    if _telemetry.cache_info().currsize:
        _PLATFORM.forget()
        _telemetry().flush()


def spool_folder() -> Path:
    """Where spans wait for a collector."""
    return project.root() / ".floe" / "spool"  # not made here: a read-only checkout can be traced too


def flush_spool(endpoint: str | None = None, *, deadline_s: float = 15.0) -> FlushResult:
    """Send what waits in the spool to the collector at `endpoint`, else to the one that is running.

    With no collector in reach nothing is sent; the result says how many files wait.
    """
    from floe_telemetry_otlp.spool import FlushResult, Spool
    from floe_telemetry_otlp.wire import traces_url

    spool = Spool(spool_folder())
    url = traces_url(endpoint) if endpoint else collector_url()
    if url is None:
        return FlushResult(left=len(spool.pending()), notes=("no collector is running",))
    return spool.flush(url, deadline_s=deadline_s)


def collector_url() -> str | None:
    """The URL for traces that the environment names, else the running platform's, else None."""
    from floe_telemetry_otlp.wire import environment_url, traces_url

    named = environment_url()
    if named:
        return named
    endpoint = _PLATFORM.endpoint()
    return traces_url(endpoint) if endpoint else None


@dataclass
class _RunningPlatform:
    """The running platform's collector, looked up at most twice a second: it comes and goes while we run."""

    found: str | None = None
    asked: float = float("-inf")

    def endpoint(self) -> str | None:
        if time.monotonic() - self.asked > ASK_AGAIN_S:
            self.asked = time.monotonic()
            self.found = self._look()
        return self.found

    def forget(self) -> None:
        self.asked = float("-inf")

    @staticmethod
    def _look() -> str | None:
        from floe_core.errors import FloeError

        from floe_ops import targets

        try:
            platform = targets.current().find()
        except (FloeError, OSError):
            return None  # the task itself says what is wrong with its target; a trace has no opinion
        return platform.urls.get("otlp-http") if platform else None


_PLATFORM = _RunningPlatform()


def _wanted() -> bool:
    return project.run_dir() is not None or any(os.environ.get(name) for name in ENDPOINTS)


def _parent() -> Context:
    """The context that `TRACEPARENT` names; an empty one where it is absent or malformed."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    named = {name: os.environ.get(name.upper(), "") for name in ("traceparent", "tracestate")}
    return TraceContextTextMapPropagator().extract({name: value for name, value in named.items() if value})


@cache
def _telemetry() -> Telemetry:
    from floe_telemetry_otlp.provider import install

    named = {name: os.environ.get(variable, "") for name, variable in RESOURCE.items()}
    attributes = {name: value for name, value in named.items() if value}
    telemetry = install(spool=spool_folder(), url=collector_url, attributes=attributes)
    atexit.register(_tell, telemetry)
    return telemetry


def _tell(telemetry: Telemetry) -> None:
    """Say what did not arrive; spans that a later flush sent after all are not worth a word."""
    totals = telemetry.totals
    if totals.spooled and not telemetry.spool.pending():
        totals = replace(totals, spooled=0)
    sentence = summary(totals)
    if sentence:
        from floe_ops import console

        console.err().print(sentence, markup=False, style="yellow")


def summary(totals: Totals) -> str:
    """One line about spans that did not reach a collector; empty when all did."""
    parts = [(totals.spooled, "spooled"), (totals.dropped, "dropped")]
    said = [f"{count} {'span was' if count == 1 else 'spans were'} {fate}" for count, fate in parts if count]
    return f"traces: {' and '.join(said)} ({totals.reason})" if said else ""

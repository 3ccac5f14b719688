"""Spans of the Nox sessions and of the run, written as OTLP/JSON into the spool. Standard library only.

The sessions run in a process without the OpenTelemetry SDK, so their spans are written by hand, in the JSON encoding
of an ExportTraceServiceRequest, and sent with the rest of the spool when the collector is up.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from typing import TYPE_CHECKING, Any

from floe_ops.plan import slug

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OK, ERROR = 1, 2  # opentelemetry.proto.trace.v1.Status.StatusCode


def spool_session(root: Path, run: Path, environ: Mapping[str, str], session: str) -> None:
    """Spool the span of a session that has ended, a child of the run's span."""
    state = json.loads((run / f"{slug(session)}.session.json").read_text(encoding="utf-8"))
    ids = (state.get("span") or secrets.token_hex(8), environ["FLOE_ROOT_SPAN"])
    times = (state["started"], state.get("ended", time.time_ns()))
    seen = {"floe.session": session, "floe.status": state["status"]}
    _write(root, environ, _span(f"session {session}", ids, times, seen, failed=state["status"] == "failed"))


def spool_run(root: Path, run: Path, environ: Mapping[str, str], headline: str) -> None:
    """Spool the span of the run itself, the root of its trace or a child of what called it (TRACEPARENT)."""
    ids = (environ["FLOE_ROOT_SPAN"], environ.get("FLOE_PARENT_SPAN", ""))
    times = (int(environ["FLOE_RUN_STARTED"]), time.time_ns())
    seen = {"floe.run": run.name, "floe.headline": headline}
    _write(root, environ, _span("nox", ids, times, seen, failed=headline == "FAILED"))


def _span(
    name: str, ids: tuple[str, str], times: tuple[int, int], attributes: Mapping[str, str], *, failed: bool
) -> dict[str, Any]:
    """One span without its trace; `ids` are its own and its parent's, `times` are in nanoseconds."""
    return {
        "spanId": ids[0],
        "parentSpanId": ids[1],
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(times[0]),
        "endTimeUnixNano": str(times[1]),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
        "status": {"code": ERROR if failed else OK},
    }


def _write(root: Path, environ: Mapping[str, str], span: dict[str, Any]) -> None:
    span["traceId"] = environ["FLOE_TRACE_ID"]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "floe-platform"}}]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "nox"}, "spans": [span]}]}]}
    spool = root / ".floe" / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns()}-{secrets.token_hex(4)}.json"
    half = spool / f".{name}.{os.getpid()}"
    half.write_text(json.dumps(request), encoding="utf-8")
    half.replace(spool / name)

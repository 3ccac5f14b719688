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
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OK, ERROR = 1, 2  # opentelemetry.proto.trace.v1.Status.StatusCode


def spool_run(
    root: Path, run: Path, environ: Mapping[str, str], units: Sequence[Mapping[str, Any]], headline: str
) -> None:
    """Spool one span for each session that started and one for the run itself, their common parent."""
    root_span = environ["FLOE_ROOT_SPAN"]
    spans = []
    for unit in units:
        path = run / f"{slug(unit['session'])}.session.json"
        if path.exists():
            state = json.loads(path.read_text(encoding="utf-8"))
            ids = (state.get("span") or secrets.token_hex(8), root_span)
            times = (state["started"], state.get("ended", time.time_ns()))
            seen = {"floe.session": unit["session"], "floe.unit": unit["id"], "floe.status": unit["status"]}
            failed = unit["status"] in {"failed", "blocked"}
            spans.append(_span(f"session {unit['session']}", ids, times, seen, failed=failed))
    whole = (int(environ["FLOE_RUN_STARTED"]), time.time_ns())
    seen = {"floe.run": run.name, "floe.headline": headline}
    ids = (root_span, environ.get("FLOE_PARENT_SPAN", ""))
    spans.append(_span("nox", ids, whole, seen, failed=headline == "FAILED"))
    for span in spans:
        span["traceId"] = environ["FLOE_TRACE_ID"]
    _write(root / ".floe" / "spool", spans)


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


def _write(spool: Path, spans: list[dict[str, Any]]) -> None:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "floe-platform"}}]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "nox"}, "spans": spans}]}]}
    spool.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns()}-{secrets.token_hex(4)}.json"
    half = spool / f".{name}.{os.getpid()}"
    half.write_text(json.dumps(request), encoding="utf-8")
    half.replace(spool / name)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from floe_ops import otlp_json
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def test_the_spool_holds_a_valid_request_with_the_sessions_below_the_run(tmp_path: Path) -> None:
    run = tmp_path / "r"
    run.mkdir()
    state = {"started": 1_000, "ended": 2_000, "span": "11" * 8, "status": "failed"}
    (run / "dbt_demo-duckdb.session.json").write_text(json.dumps(state))
    environ = {"FLOE_TRACE_ID": "ab" * 16, "FLOE_ROOT_SPAN": "cd" * 8, "FLOE_RUN_STARTED": "500"}

    otlp_json.spool_session(tmp_path, run, environ, "dbt_demo(duckdb)")
    otlp_json.spool_run(tmp_path, run, environ, "FAILED")

    paths = sorted((tmp_path / ".floe/spool").glob("*.json"))
    (session, raw_session), (root, raw_root) = map(_read, paths)
    assert [session.name, root.name] == ["session dbt_demo(duckdb)", "nox"]
    assert (session.start_time_unix_nano, session.end_time_unix_nano) == (1_000, 2_000)
    assert session.status.code == root.status.code == otlp_json.ERROR
    assert raw_session["parentSpanId"] == raw_root["spanId"] == "cd" * 8
    assert raw_root["parentSpanId"] == ""
    assert {raw_session["traceId"], raw_root["traceId"]} == {"ab" * 16}


def _read(path: Path) -> tuple[Any, dict[str, Any]]:
    """The one span of a file: as the protocol's own JSON reader sees it, and as it is written."""
    content = json.loads(path.read_text())
    (span,) = ParseDict(content, ExportTraceServiceRequest()).resource_spans[0].scope_spans[0].spans
    return span, content["resourceSpans"][0]["scopeSpans"][0]["spans"][0]

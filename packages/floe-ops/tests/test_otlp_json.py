from __future__ import annotations

import json
from pathlib import Path

from floe_ops import otlp_json
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def test_the_spool_holds_a_valid_request_with_the_sessions_below_the_run(tmp_path: Path) -> None:
    run = tmp_path / "r"
    run.mkdir()
    state = {"started": 1_000, "ended": 2_000, "span": "11" * 8}
    (run / "dbt_demo-duckdb.session.json").write_text(json.dumps(state))
    units = [
        {"session": "dbt_demo(duckdb)", "id": "WU5", "status": "failed"},
        {"session": "final", "id": "WU8", "status": "blocked"},
    ]
    environ = {"FLOE_TRACE_ID": "ab" * 16, "FLOE_ROOT_SPAN": "cd" * 8, "FLOE_RUN_STARTED": "500"}

    otlp_json.spool_run(tmp_path, run, environ, units, "FAILED")

    (path,) = (tmp_path / ".floe/spool").glob("*.json")
    content = json.loads(path.read_text())
    request = ParseDict(content, ExportTraceServiceRequest())
    session, root = request.resource_spans[0].scope_spans[0].spans
    assert [session.name, root.name] == ["session dbt_demo(duckdb)", "nox"]
    assert (session.start_time_unix_nano, session.end_time_unix_nano) == (1_000, 2_000)
    assert session.status.code == root.status.code == otlp_json.ERROR
    raw_session, raw_root = content["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert raw_session["parentSpanId"] == raw_root["spanId"] == "cd" * 8
    assert raw_root["parentSpanId"] == ""
    assert {raw_session["traceId"], raw_root["traceId"]} == {"ab" * 16}

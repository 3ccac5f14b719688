"""WU-6: lineage of a real dbt build, to a server that checks events, and to files that writers share and are killed at.

No back end such as Marquez can be had from the package registries here. In its place stands a server that holds every
event and facet against the OpenLineage specification (2-0-2), written down below from the specification and not from
the library that the plugin checks with, and that answers 400 where one is wrong.
"""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from floe_core.lineage import DataSource, EventKind, Job, Run, error_facets, model_events, run_event, traceparent
from floe_core.plugins import DbtCommand, DbtRequest, LineageError, NoConfig
from floe_core.telemetry import span
from floe_core.testing.lineage_backend import example
from floe_dbt_core.plugin import DBTCorePlugin
from floe_lineage_openlineage.plugin import OpenLineageConfig, OpenLineagePlugin

pytestmark = [pytest.mark.duckdb, pytest.mark.requirement("WU6-X1")]

KEY = "lineage-key-of-the-test"
TEXT, URI = {"type": "string"}, {"type": "string", "pattern": "^[a-z]+:.+"}
UUID = {"type": "string", "format": "uuid"}


def thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """A schema of an object that may hold more."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": [*required]}


def facets(**known: Any) -> dict[str, Any]:
    """A schema of facets: each has the base's fields, and the known ones their own."""
    base = thing({"_producer": URI, "_schemaURL": URI})
    return {"type": "object", "properties": known, "additionalProperties": True, "patternProperties": {"": base}}


NAMED = {"namespace": TEXT, "name": TEXT}
SCHEMA_FACET = thing({"fields": {"type": "array", "items": thing({"name": TEXT}, {"type": TEXT, "description": TEXT})}})
DATASET = {"facets": facets(schema=SCHEMA_FACET, dataSource=thing({"name": TEXT, "uri": URI}))}
STATISTICS = thing({}, {name: {"type": "integer"} for name in ("rowCount", "size", "fileCount")})
RUN_OF = thing({"run": thing({"runId": UUID}), "job": thing(NAMED)})
RUN_FACETS = facets(
    parent={"allOf": [RUN_OF, thing({}, {"root": RUN_OF})]},
    errorMessage=thing({"message": TEXT, "programmingLanguage": TEXT}),
)
JOB_FACETS = facets(
    sql=thing({"query": TEXT}, {"dialect": TEXT}),
    jobType=thing({"processingType": TEXT, "integration": TEXT}, {"jobType": TEXT}),
    documentation=thing({"description": TEXT}),
)
RUN_EVENT = thing(
    {
        "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "producer": URI,
        "schemaURL": URI,
        "run": thing({"runId": UUID}, {"facets": RUN_FACETS}),
        "job": thing(NAMED, {"facets": JOB_FACETS}),
    },
    {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "inputs": {"type": "array", "items": thing(NAMED, {**DATASET, "inputFacets": facets()})},
        "outputs": {
            "type": "array",
            "items": thing(NAMED, {**DATASET, "outputFacets": facets(outputStatistics=STATISTICS)}),
        },
    },
)
CHECK = jsonschema.Draft202012Validator(RUN_EVENT, format_checker=jsonschema.FormatChecker())


@dataclass
class Server:
    """A lineage server that is strict; `failures` is how many requests it turns away first."""

    url: str = ""
    failures: int = 0
    events: list[Any] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def answer(self, headers: Any, body: bytes) -> int:
        """The status for a request."""
        if headers["Authorization"] != f"Bearer {KEY}":
            return 401
        if self.failures:
            self.failures -= 1
            return 503
        event = json.loads(gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body)
        wrong = [f"{error.json_path}: {error.message}" for error in CHECK.iter_errors(event)]
        self.refusals += wrong
        if wrong:
            return 400
        self.events.append(event)
        return 201


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()
    monkeypatch.setenv("LINEAGE_KEY", KEY)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = state.answer(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def http_plugin(server: Server, **more: Any) -> OpenLineagePlugin:
    transport = {"type": "http", "url": server.url, "api_key": {"env": "LINEAGE_KEY"}, **more}
    return OpenLineagePlugin(OpenLineageConfig.model_validate({"transport": transport}))


FILES = {
    "dbt_project.yml": "name: orders\nversion: '1.0'\nprofile: p\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "p:\n  target: duckdb\n  outputs:\n    duckdb: {type: duckdb, path: 'orders.duckdb', threads: 1}\n",
    "seeds/raw_orders.csv": "order_id,amount\n1,10\n2,20\n",
    "models/stg_orders.sql": "{{ config(materialized='table') }} select * from {{ ref('raw_orders') }}\n",
    "models/mart_orders.sql": (
        "{{ config(materialized='table') }}\n"
        "select * from {{ ref('stg_orders') }} where amount = cast('nobody' as int)\n"
    ),
    "models/after.sql": "select * from {{ ref('mart_orders') }}\n",
    "models/schema.yml": (
        "models:\n  - name: stg_orders\n    description: One row an order.\n"
        "    columns:\n      - {name: order_id, data_type: bigint, description: The order., data_tests: [unique]}\n"
    ),
}


def build(folder: Path) -> tuple[Any, dict[str, Any]]:
    """A real build in which one model fails: what dbt did, and its manifest."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("orders.duckdb", str(folder / "orders.duckdb")), encoding="utf-8")
    target = folder / "target"
    request = DbtRequest(DbtCommand.BUILD, folder, folder, "duckdb", target)
    result = DBTCorePlugin(NoConfig()).run(request)
    manifest: dict[str, Any] = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return result, manifest


def test_a_real_build_is_told_and_every_event_fits_the_specification(server: Server, tmp_path: Path) -> None:
    plugin = http_plugin(server, compress=True)
    product = Job("orders", "orders", job_type="PRODUCT")
    run = Run.begin(product, datetime.now(UTC))
    with span("build"):
        plugin.emit(run_event(EventKind.START, run.id, product, at=run.began))
        result, manifest = build(tmp_path)
        source = DataSource("duckdb://orders.duckdb", "duckdb")
        for event in model_events(result, manifest, run, data_source=source, traceparent=traceparent()):
            plugin.emit(event)
        failed = error_facets("a model failed", "PYTHON")
        plugin.emit(run_event(EventKind.FAIL, run.id, product, at=datetime.now(UTC), facets=failed))
    assert server.refusals == []
    told = [(event["job"]["name"], event["eventType"]) for event in server.events]
    assert told == [
        ("orders", "START"),
        ("seed.orders.raw_orders", "START"),
        ("seed.orders.raw_orders", "COMPLETE"),
        ("model.orders.stg_orders", "START"),
        ("model.orders.stg_orders", "COMPLETE"),
        ("model.orders.mart_orders", "START"),
        ("model.orders.mart_orders", "FAIL"),
        ("orders", "FAIL"),
    ]
    staged, failed_model = server.events[4], server.events[6]
    assert [one["name"] for one in staged["inputs"]] == ["orders.main.raw_orders"]
    (written,) = staged["outputs"]
    assert (written["namespace"], written["name"]) == (source.uri, "orders.main.stg_orders")
    assert written["facets"]["schema"]["fields"] == [
        {"name": "order_id", "type": "bigint", "description": "The order."}
    ]
    assert '"raw_orders"' in staged["job"]["facets"]["sql"]["query"]
    assert "nobody" in failed_model["run"]["facets"]["errorMessage"]["message"]
    traces = {event["run"]["facets"]["floe_traceCorrelation"]["traceId"] for event in server.events[1:-1]}
    assert len(traces) == 1
    parents = {event["run"]["facets"]["parent"]["run"]["runId"] for event in server.events[1:-1]}
    assert parents == {str(run.id)}


def test_the_server_is_strict(server: Server) -> None:
    """Events that the plugin refuses are those that the specification refuses: both are asked about the same ones."""
    plugin = http_plugin(server)
    wrong = [
        {**example(), "eventType": "DONE"},
        {**example(), "eventTime": "2026-11-23"},
        {**example(), "run": {"runId": "1"}},
        {**example(), "job": {"name": "without a namespace"}},
        {**example(), "outputs": [{"namespace": "n", "name": 1}]},
        {**example(), "producer": 5},
        {**example(), "run": {**example()["run"], "facets": {"mine": {"_producer": "https://floe.dev"}}}},
        {
            **example(),
            "job": {**example()["job"], "facets": {"sql": {**example()["job"]["facets"]["sql"], "query": 1}}},
        },
    ]
    for event in wrong:
        assert list(CHECK.iter_errors(event)), event
        with pytest.raises(LineageError):
            plugin.emit(event)
    assert server.events == []
    plugin.emit(example())
    assert server.events == [example()]


def test_a_server_that_restarts_loses_nothing(server: Server) -> None:
    server.failures = 2
    http_plugin(server).emit(example())
    assert server.events == [example()]


def test_a_wrong_key_is_told_without_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_KEY", "another-key-of-the-test")
    with pytest.raises(LineageError, match="HTTP 401") as caught:
        http_plugin(server).emit(example())
    assert "another-key-of-the-test" not in str(caught.value)


WRITER = """
import itertools, sys
from floe_core.testing.lineage_backend import example
from floe_lineage_openlineage.plugin import OpenLineageConfig, OpenLineagePlugin
path, name = sys.argv[1:]
transport = {"type": "file", "path": path, "lock_timeout_s": 60}
plugin = OpenLineagePlugin(OpenLineageConfig.model_validate({"transport": transport}))
for number in itertools.count():
    event = example(name=f"{name}.{number}")
    event["job"]["facets"]["sql"]["query"] = "select 1 -- " + "x" * 50_000
    plugin.emit(event)
    print(number, flush=True)
"""


@pytest.fixture
def writer() -> Iterator[Callable[[Path, str], subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(path: Path, name: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", WRITER, str(path), name]
        running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait(20)
        assert process.stdout
        process.stdout.close()


def test_killed_writers_leave_whole_events(tmp_path: Path, writer: Callable[..., subprocess.Popen[str]]) -> None:
    path = tmp_path / "events.jsonl"
    said: dict[str, int] = {}
    processes = {name: writer(path, name) for name in ("a", "b")}
    for name, process in processes.items():
        assert process.stdout
        said[name] = [int(process.stdout.readline()) for _ in range(4)][-1]
    for process in processes.values():
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    last = example(name="after.0")
    OpenLineagePlugin(OpenLineageConfig.model_validate({"transport": {"type": "file", "path": str(path)}})).emit(last)
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [error.message for event in events for error in CHECK.iter_errors(event)] == []
    names = [event["job"]["name"] for event in events]
    assert names[-1] == "after.0"
    for name, number in said.items():
        own = [one for one in names if one.startswith(f"{name}.")]
        assert own == [f"{name}.{one}" for one in range(len(own))]
        assert len(own) > number, "what was said to be written is there"

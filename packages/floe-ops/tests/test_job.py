"""The program inside of pods, against a real SeaweedFS, a stand-in's process, and doubles of collector and Dagster."""

from __future__ import annotations

import gzip
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from floe_ops.job.__main__ import main
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from polaris_standin.contract.stack import Keys, ObjectStore, Polaris
from polaris_standin.scripted import Reply, ScriptedServer, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z( .*)?")
PIECES = 7
HEAVY = ("boto3", "requests", "kubernetes", "pyiceberg", "opentelemetry.sdk", "rich", "invoke", "tenacity")
# What a read-only root file system allows: no file is opened for writing, made or removed but below TMPDIR.
READ_ONLY = """
import os, runpy, sys
allowed = os.environ["TMPDIR"]
def watch(event, given):
    path = given[0] if given else None
    writes = event == "open" and (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes or event in {"os.mkdir", "os.rename", "os.remove"}) and isinstance(path, str):
        if not path.startswith((allowed, "/dev/")):
            os.write(2, f"WROTE {event} {path}\\n".encode())
            os._exit(99)
sys.addaudithook(watch)
runpy.run_module("floe_ops.job", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys("job", secrets.token_hex(16))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path_factory.mktemp("store"), keys) as running:
        yield running


@pytest.fixture(scope="module")
def polaris(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Polaris]:
    with Polaris(tmp_path_factory.mktemp("polaris"), keys) as running:
        yield running


@pytest.fixture
def pod(polaris: Polaris, store: ObjectStore, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment that the chart gives to a Job; a catalog and bucket of its own for each test."""
    name = f"b-{secrets.token_hex(4)}"
    environment = {
        "FLOE_POLARIS_URL": polaris.server.api,
        "FLOE_POLARIS_MANAGEMENT_URL": polaris.server.management,
        "FLOE_CATALOG": name,
        "FLOE_BUCKET": name,
        "POLARIS_CLIENT_ID": polaris.server.client_id,
        "POLARIS_CLIENT_SECRET": polaris.server.secret,
        "AWS_ENDPOINT_URL_S3": f"http://{store.address}",
        **keys.environment(),
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    before = signal.getsignal(signal.SIGTERM)
    yield environment
    signal.signal(signal.SIGTERM, before)


def stamped(text: str) -> bool:
    return bool(text) and all(STAMPED.fullmatch(line) for line in text.splitlines())


def program(words: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """As in a pod: nothing of this checkout, a home below /tmp, and no write elsewhere."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", READ_ONLY, *words],
        cwd="/",
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.requirement("WU1-AC1", "WU1-AC2")
def test_bootstrap_makes_all_and_says_so_line_by_line_without_a_checkout(pod: dict[str, str], tmp_path: Path) -> None:
    done = program(["bootstrap", "--timeout", "30", "--json"], pod, tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    outcomes = [step["outcome"] for step in result["steps"]]
    assert outcomes == ["created"] * PIECES + ["verified"] * (PIECES + 1)
    assert stamped(done.stderr)
    assert len(done.stderr.splitlines()) >= 2 * PIECES + 3
    for told in (done.stderr, done.stdout):
        assert pod["POLARIS_CLIENT_SECRET"] not in told
        assert pod["AWS_SECRET_ACCESS_KEY"] not in told
    assert main(["bootstrap"]) == 0
    assert main(["wait", "--streak", "3"]) == 0


@pytest.mark.requirement("WU1-BC4")
def test_refused_credentials_end_with_3_and_name_client_and_endpoint(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLARIS_CLIENT_SECRET", "planted-wrong-secret")
    for command in ("bootstrap", "wait"):
        assert main([command]) == 3
        told = capsys.readouterr()
        assert "'root'" in told.err
        assert pod["FLOE_POLARIS_URL"] in told.err
        assert "planted" not in told.err + told.out
        assert stamped(told.err)


def test_a_refused_key_of_the_store_ends_with_3(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-wrong-secret")
    assert main(["bootstrap"]) == 3
    told = capsys.readouterr().err
    assert pod["AWS_ENDPOINT_URL_S3"] in told
    assert "planted" not in told


@pytest.mark.requirement("WU1-BC2")
@pytest.mark.parametrize("command", ["bootstrap", "wait"])
def test_a_server_that_is_not_there_ends_with_6_in_time(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    for name in ("FLOE_POLARIS_URL", "FLOE_POLARIS_MANAGEMENT_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    start = time.monotonic()
    assert main([command, "--timeout", "0.5", "--json"]) == 6
    assert time.monotonic() - start < 10
    told = capsys.readouterr()
    assert "… waiting for health: connection refused" in told.err
    assert json.loads(told.out)["exit_code"] == 6


@pytest.mark.requirement("WU1-BC3")
def test_a_missing_bucket_that_must_be_there_ends_with_4(
    pod: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bootstrap", "--expect-bucket"]) == 4
    assert f"bucket '{pod['FLOE_BUCKET']}' is missing" in capsys.readouterr().err
    assert main(["wait", "--timeout", "0.3"]) == 6, "no catalog over a bucket that is not there"


@pytest.mark.requirement("WU1-AC1")
def test_a_catalog_with_another_location_ends_with_4_and_the_differences(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bootstrap"]) == 0
    other = f"{pod['FLOE_BUCKET']}-other"
    monkeypatch.setenv("FLOE_BUCKET", other)
    capsys.readouterr()
    for command in ("bootstrap", "wait"):
        assert main([command]) == 4
        assert f"base location: wanted s3://{other}, is s3://{pod['FLOE_BUCKET']}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "missing", "told"),
    [
        (["bootstrap"], "FLOE_POLARIS_URL", "FLOE_POLARIS_URL is not set"),
        (["bootstrap"], "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_S3"),
        (["wait"], "POLARIS_CLIENT_SECRET", "POLARIS_CLIENT_SECRET"),
        (["wait", "--timeout", "soon"], "", "--timeout takes seconds"),
        (["wait", "--streak", "0"], "", "--streak takes a whole number"),
        (["roundtrip"], "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT is not set"),
        (["dagster"], "FLOE_DAGSTER_URL", "FLOE_DAGSTER_URL is not set"),
    ],
)
@pytest.mark.usefixtures("pod")
def test_what_is_missing_or_no_number_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], missing: str, told: str
) -> None:
    monkeypatch.delenv(missing, raising=False)
    assert main(words) == 2
    seen = capsys.readouterr().err
    assert told in seen
    assert "Traceback" not in seen


@pytest.mark.parametrize("words", [[], ["nonsense"], ["wait", "--nonsense"]])
def test_unknown_words_end_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["bootstrap", "wait", "roundtrip", "dagster"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"python -m floe_ops.job {command} --timeout" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from floe_ops.job.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += f"sys.exit([name for name in {HEAVY!r} if name in sys.modules] or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_sigterm_ends_it_at_once_with_a_line() -> None:
    with ScriptedServer({"*": Reply(503)}) as server:
        environment = {"POLARIS_CLIENT_ID": "root", "POLARIS_CLIENT_SECRET": "x", "FLOE_POLARIS_URL": server.url}
        words = [sys.executable, "-m", "floe_ops.job", "wait", "--timeout", "60"]
        with subprocess.Popen(words, env=os.environ | environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert "waiting for health: HTTP 503" in process.stderr.readline()
            start = time.monotonic()
            process.terminate()
            assert process.wait(10) == 128 + signal.SIGTERM
            assert time.monotonic() - start < 5
            last = process.stderr.read().splitlines()[-1]
    assert STAMPED.fullmatch(last)
    assert "ended by SIGTERM" in last


class Traces:
    """A collector and a Jaeger in one: what was sent is found again."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.altered = False

    def __call__(self, seen: Seen) -> Reply:
        if seen.path == "/v1/traces":
            body = gzip.decompress(seen.body) if seen.headers.get("Content-Encoding") == "gzip" else seen.body
            sent = ExportTraceServiceRequest.FromString(body)
            self.spans += [
                self._span(span) for part in sent.resource_spans for scope in part.scope_spans for span in scope.spans
            ]
            return Reply(200, b"", {"Content-Type": "application/x-protobuf"})
        if seen.path.startswith("/api/traces/"):
            trace_id = seen.path.rpartition("/")[2]
            found = [span for span in self.spans if span["traceID"] == trace_id]
            trace = {"traceID": trace_id, "spans": found, "processes": {"p": {"serviceName": "floe-platform"}}}
            return Reply(200, {"data": [trace]}) if found else Reply(404, {"data": None})
        return Reply(200, {"data": ["floe-platform"]})

    def _span(self, span: Any) -> dict[str, Any]:
        tags = [{"key": one.key, "value": self._value(one.value)} for one in span.attributes]
        parent = {"refType": "CHILD_OF", "spanID": span.parent_span_id.hex()}
        return {
            "traceID": span.trace_id.hex(),
            "spanID": span.span_id.hex(),
            "operationName": span.name,
            "processID": "p",
            "startTime": span.start_time_unix_nano // 1000,
            "duration": 1,
            "references": [parent] if span.parent_span_id else [],
            "tags": tags,
        }

    def _value(self, value: Any) -> Any:
        kind = value.WhichOneof("value")
        if kind == "array_value":
            listed = [self._value(one) for one in value.array_value.values]
            return json.dumps(listed, separators=(",", ":"))
        return "another" if self.altered and kind == "string_value" else getattr(value, kind)


def test_roundtrip_sends_a_trace_and_finds_it(tmp_path: Path) -> None:
    traces = Traces()
    with ScriptedServer({"*": traces}) as server:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "FLOE_JAEGER_URL": server.url}
        done = program(["roundtrip", "--json"], environment, tmp_path)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["spans"] == 4
        assert {span["traceID"] for span in traces.spans} == {result["trace_id"]}
        assert f"trace {result['trace_id']}" in done.stderr
        assert stamped(done.stderr)
        traces.altered = True
        done = program(["roundtrip"], environment, tmp_path)
    assert done.returncode == 4
    assert "arrived altered" in done.stderr


def test_roundtrip_without_a_collector_or_a_jaeger(pod: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_JAEGER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert main(["roundtrip", "--timeout", "0.5"]) == 5
    with ScriptedServer({"*": Traces()}) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        assert main(["roundtrip", "--timeout", "0.5"]) == 6


def test_dagster_is_right_when_every_code_location_is_loaded(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def workspace(found: dict[str, Any]) -> Reply:
        entries = [{"name": "products", "loadStatus": "LOADED", "locationOrLoadError": found}]
        return Reply(200, {"data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": entries}}})

    info = {f"dagster_{part}": "1.13.27" for part in ("webserver_version", "version", "graphql_version")}
    served = workspace({"__typename": "RepositoryLocation", "repositories": [{"name": "orders"}]})
    broken = workspace({"__typename": "PythonError", "message": "planted fault", "causes": []})
    with ScriptedServer({"GET /server_info": Reply(200, info), "POST /graphql": [broken, served]}) as server:
        monkeypatch.setenv("FLOE_DAGSTER_URL", server.url)
        assert main(["dagster", "--json"]) == 0
        told = capsys.readouterr()
        assert "waiting for Dagster: 1 of 1 code locations are not loaded: products: planted fault" in told.err
        assert "loaded    products: orders" in told.err
        assert [one["name"] for one in json.loads(told.out)["locations"]] == ["products"]
        assert main(["dagster", "--timeout", "0.3", "--location", "products", "--location", "other"]) == 4
        assert "missing: other" in capsys.readouterr().err
        server.script["POST /graphql"] = broken
        assert main(["dagster", "--timeout", "0.3"]) == 4
        assert "products: planted fault" in capsys.readouterr().err
    assert main(["dagster", "--timeout", "0.3"]) == 6

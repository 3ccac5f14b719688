"""The ingestion plugin `dlt` against real sources and destinations.

Real: DuckDB files, Parquet files on disk and in SeaweedFS over S3, CSV, JSON lines and Parquet sources, a local HTTP
server with pages and a token, an SQLite database, and processes that are killed in the middle of a load.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import boto3
import duckdb
import psutil
import pyarrow.parquet  # type: ignore[import-untyped] # it carries no types
import pytest
import s3fs  # type: ignore[import-untyped] # it carries no types
from botocore.config import Config
from floe_core.plugins import IngestionError, IngestionRequest, IngestionResult
from floe_ingestion_dlt.config import DltConfig
from floe_ingestion_dlt.plugin import DltPlugin
from floe_ops.targets.local import starting
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.duckdb, pytest.mark.requirement("WU6-X1")]

TOKEN = "t0ken-that-nobody-may-see"  # noqa: S105 - of a server of this test
PAGE = 10
LIMIT_S = 60

# Loads in processes of their own, so that they can be killed; small files make many jobs. dlt takes seconds to import,
# so one process does it, forks for each line that it reads, and prints the child's number.
CHILD = """
import json, os, sys
from pathlib import Path
import dlt, duckdb, dlt.sources.filesystem, dlt.sources.rest_api, pyarrow.parquet
from floe_core.plugins import IngestionRequest
from floe_ingestion_dlt.config import DltConfig
from floe_ingestion_dlt.plugin import DltPlugin
for line in sys.stdin:
    child = os.fork()
    if child:
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)
        continue
    asked = json.loads(line)
    os.environ.update(asked["environment"])
    base = Path(asked["base"])
    plugin = DltPlugin(DltConfig.model_validate(asked["config"]))
    plugin.load(IngestionRequest("shop.orders", asked["source"], "raw", base / "work", base, base / "shop.duckdb"))
    os._exit(0)
"""


class Api:
    """A small REST API: `/orders?page=N` and `/events?since=ID`, which want the token."""

    def __init__(self) -> None:
        self.rows = [{"id": number, "note": f"row {number}", "tags": ["a", "b"]} for number in range(1, 36)]
        self.asked: list[str] = []
        self.hold_page: int | None = None
        self.held, self.go_on = threading.Event(), threading.Event()

    def answer(self, target: str) -> dict[str, Any]:
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.asked.append(target)
        if parts.path == "/events":
            return {"data": [row for row in self.rows if cast("int", row["id"]) >= int(query.get("since", 0))]}
        page = int(query.get("page", 0))
        if page == self.hold_page:
            self.held.set()
            self.go_on.wait(LIMIT_S)
        return {"data": self.rows[page * PAGE : (page + 1) * PAGE], "total": -(-len(self.rows) // PAGE)}


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    state = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            body = json.dumps(state.answer(self.path) if allowed else {"error": "who are you"}).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: object) -> None:
            """A client that was killed is what these tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        serving.start()
        yield state, f"http://127.0.0.1:{server.server_port}"
        state.go_on.set()
        server.shutdown()
        serving.join(LIMIT_S)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A product's folder with spaces in its name."""
    folder = tmp_path / "a product"
    (folder / "in").mkdir(parents=True)
    return folder


def load(base: Path, source: dict[str, Any], config: dict[str, Any] | None = None) -> IngestionResult:
    plugin = DltPlugin(DltConfig.model_validate(config or {}))
    return plugin.load(IngestionRequest("shop.orders", source, "raw", base / "work", base, base / "shop.duckdb"))


def ask(base: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(base / "shop.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def orders(url: str, **more: Any) -> dict[str, Any]:
    endpoint = {"table": "orders", "path": "orders", "data_selector": "data", **more}
    return {
        "kind": "rest_api",
        "base_url": url,
        "auth": {"type": "bearer", "token": {"env": "SHOP_TOKEN"}},
        "paginator": {"type": "page_number", "total_path": "total"},
        "endpoints": [endpoint],
    }


@pytest.fixture(scope="module", autouse=True)
def loader() -> Iterator[subprocess.Popen[str]]:
    """The process that forks for each load; started first, so that it imports dlt while this one does."""
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def killed_when(
    loader: subprocess.Popen[str],
    happened: Callable[[], bool],
    base: Path,
    source: dict[str, Any],
    config: dict[str, Any] | None = None,
) -> None:
    """A load that gets `kill -9` as soon as `happened`, which must be before it ends by itself."""
    environment = {"SHOP_TOKEN": TOKEN, "DATA_WRITER__FILE_MAX_ITEMS": "200", "HOME": str(base / "home")}
    asked = {"base": str(base), "source": source, "config": config or {}, "environment": environment}
    assert loader.stdin
    assert loader.stdout
    loader.stdin.write(json.dumps(asked) + "\n")
    loader.stdin.flush()
    child = psutil.Process(int(loader.stdout.readline()))
    try:
        waiting = Retrying(
            retry=retry_if_result(lambda done: not done),
            stop=stop_after_delay(LIMIT_S),
            wait=wait_exponential(0.005, max=0.02),
        )
        waiting(lambda: happened() or not child.is_running())
        assert child.is_running(), "the load ended before it could be killed"
    finally:
        with suppress(psutil.NoSuchProcess):
            child.kill()
        assert loader.stdout.readline() == "gone\n"


def test_a_rest_api_with_pages_and_a_token(api: tuple[Api, str], base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, url = api
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    assert dict(load(base, orders(url)).rows) == {"orders": 35}
    assert [query for query in state.asked if "page" in query] == [f"/orders?page={page}" for page in range(4)]
    assert ask(base, "select count(*), count(distinct id), sum(id) from raw.orders") == [(35, 35, 630)]
    # Without a total the end is the first page that is empty.
    assert load(base, orders(url, table="untold", paginator={"type": "page_number"})).rows["untold"] == 35
    assert state.asked[-1] == "/orders?page=4"
    # What is nested stays one column, so the source fills the tables that it names.
    assert ask(base, "select tags from raw.orders limit 1") == [('["a","b"]',)]
    tables = ask(base, "select table_name from information_schema.tables where table_schema = 'raw'")
    assert {name for (name,) in tables if not name.startswith("_dlt")} == {"orders", "untold"}


def test_a_refused_token_is_told_and_not_shown(
    api: tuple[Api, str], base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "wrong-token-0815")
    with pytest.raises(IngestionError) as failed:
        load(base, orders(api[1], params={"key": "a"}))
    told = f"{failed.value} {failed.value!r}"
    assert "401" in told
    assert "orders" in failed.value.where
    assert "wrong-token-0815" not in told


def test_only_what_is_new_is_asked_for(api: tuple[Api, str], base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, url = api
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    cursor = {"cursor": "id", "initial": 1, "start_param": "since"}
    source = orders(url, path="events", incremental=cursor, primary_key=["id"], paginator={"type": "single_page"})
    assert load(base, source).rows["orders"] == 35
    state.rows += [{"id": number, "note": "new", "tags": []} for number in range(36, 40)]
    # The state is the destination's: the working directory may go.
    shutil.rmtree(base / "work")
    assert load(base, source).rows["orders"] == 4
    assert load(base, source).rows["orders"] == 0
    assert state.asked[-1] == "/events?since=39"
    assert ask(base, "select count(*), count(distinct id) from raw.orders") == [(39, 39)]


def test_killed_while_it_reads_and_run_again(
    api: tuple[Api, str], base: Path, monkeypatch: pytest.MonkeyPatch, loader: subprocess.Popen[str]
) -> None:
    state, url = api
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    state.hold_page = 2
    source = orders(url, primary_key=["id"], incremental={"cursor": "id"})
    killed_when(loader, state.held.is_set, base, source)
    state.hold_page = None
    state.go_on.set()
    assert load(base, source).rows["orders"] == 35
    assert ask(base, "select count(*), count(distinct id) from raw.orders") == [(35, 35)]


@pytest.mark.parametrize(
    "config", [{}, {"destination": {"kind": "filesystem", "url": "lake"}}], ids=["duckdb", "parquet"]
)
def test_killed_while_it_writes_and_run_again(
    base: Path, config: dict[str, Any], loader: subprocess.Popen[str]
) -> None:
    lines = "".join(json.dumps({"id": number}) + "\n" for number in range(8000))
    (base / "in" / "orders.jsonl").write_text(lines)
    source = {"kind": "files", "url": "in", "glob": "*.jsonl", "format": "jsonl", "table": "orders"}
    source["incremental"] = {"cursor": "id"}  # type: ignore[assignment]
    done = "work/dlt/shop_orders/load/normalized/*/completed_jobs/orders.*"
    killed_when(loader, lambda: len(list(base.glob(done))) > 2, base, source, config)
    assert load(base, source, config).rows["orders"] == 8000
    counted = "select count(*), count(distinct id) from "
    if config:
        with duckdb.connect() as connection:
            files = str(base / "lake" / "raw" / "orders" / "*.parquet")
            assert connection.execute(f"{counted} read_parquet('{files}')").fetchall() == [(8000, 8000)]
    else:
        assert ask(base, f"{counted} raw.orders") == [(8000, 8000)]
    home = base / "home"
    assert not home.exists() or not list(home.rglob("*"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """SeaweedFS with one bucket on free ports; the endpoint's URL."""
    monkeypatch.setenv("STORE_KEY", "landing-key")
    monkeypatch.setenv("STORE_SECRET", TOKEN)
    home = tmp_path / "weed"
    home.mkdir()
    keys = [{"accessKey": "landing-key", "secretKey": TOKEN}]  # nosec B105 - the test's own store
    identity = {"name": "landing", "credentials": keys, "actions": ["Admin"]}
    (home / "s3.json").write_text(json.dumps({"identities": [identity]}))
    with ExitStack() as held:
        ports = [
            held.enter_context(closing(socket.create_server(("127.0.0.1", 0)))).getsockname()[1] for _ in range(10)
        ]
    names = ("s3", "master", "volume", "filer", "admin")
    options = {f"{name}.port": port for name, port in zip(names, ports[:5], strict=True)}
    options |= {f"{name}.port.grpc": port for name, port in zip(names, ports[5:], strict=True)}
    options |= {
        "dir": home,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.config": home / "s3.json",
        "webdav": "false",
    }
    options |= {"s3.port.iceberg": 0, "s3.port.lance": 0, "master.telemetry": "false", "admin.ui": "false"}
    options |= {"volume.max": 8, "master.volumeSizeLimitMB": 64, "volume.preStopSeconds": 0}
    command = [str(starting.weed()), "mini", *(f"-{name}={value}" for name, value in options.items())]
    url = f"http://127.0.0.1:{options['s3.port']}"
    with (home / "log").open("w") as log, subprocess.Popen(command, cwd=home, stdout=log, stderr=log) as process:
        try:
            client = boto3.client(
                "s3",
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id="landing-key",
                aws_secret_access_key=TOKEN,
                config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}),
            )
            for attempt in Retrying(stop=stop_after_delay(LIMIT_S), wait=wait_exponential(0.05, max=1)):
                with attempt:
                    assert process.poll() is None, (home / "log").read_text()[-2000:]
                    with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                        client.create_bucket(Bucket="landing")
                    client.put_object(Bucket="landing", Key="in/a.csv", Body=b"id,name\n1,a\n2,b\n")
            yield url
        finally:
            process.kill()  # what it holds goes with it
            process.wait(LIMIT_S)


def test_from_a_bucket_into_a_bucket(base: Path, store: str) -> None:
    place = {"endpoint": store, "access_key": {"env": "STORE_KEY"}, "secret_key": {"env": "STORE_SECRET"}}
    config = {"destination": {"kind": "filesystem", "url": "s3://landing/lake", "store": place}}
    source = {"kind": "files", "url": "s3://landing/in", "glob": "*.csv", "format": "csv", "table": "orders"}
    for _ in range(2):
        assert load(base, {**source, "store": place}, config).rows["orders"] == 2
    files = s3fs.S3FileSystem(key="landing-key", secret=TOKEN, endpoint_url=store, skip_instance_cache=True)
    tables = [pyarrow.parquet.read_table(path, filesystem=files) for path in files.ls("landing/lake/raw/orders")]
    assert sorted(row for table in tables for row in table.column("id").to_pylist()) == [1, 1, 2, 2]
    os.environ["STORE_SECRET"] = "a-wrong-secret"  # noqa: S105 - planted; monkeypatch takes it back
    with pytest.raises(IngestionError) as refused:
        load(base, {**source, "store": place}, config)
    assert "a-wrong-secret" not in str(refused.value)


def test_files_of_three_formats_and_only_new_ones(base: Path) -> None:
    (base / "in" / "one.csv").write_text("id,day,paid\n1,2026-01-01,true\n2,2026-01-02,false\n")
    source = {"kind": "files", "url": "in", "glob": "*.csv", "format": "csv", "table": "orders", "only_new": True}
    assert load(base, source).rows["orders"] == 2
    newer = base / "in" / "two.csv"
    newer.write_text("id,day,paid\n3,2026-01-03,true\n")
    later = (base / "in" / "one.csv").stat().st_mtime + 5
    os.utime(newer, (later, later))
    assert load(base, source).rows["orders"] == 1
    assert load(base, source).rows["orders"] == 0
    assert ask(base, "select id, day::varchar, paid from raw.orders order by 1")[2] == (3, "2026-01-03", True)

    with duckdb.connect() as connection:
        connection.execute(f"copy (select 7 as id, 1.25::decimal(9,2) as amount) to '{base}/in/p.parquet'")
    parquet = {"kind": "files", "url": "in", "glob": "*.parquet", "format": "parquet", "table": "amounts"}
    assert load(base, parquet).rows["amounts"] == 1
    assert str(ask(base, "select amount from raw.amounts where _dlt_load_id is not null")[0][0]) == "1.25"


def test_replace_merge_and_a_frozen_schema(base: Path) -> None:
    data = base / "in" / "orders.jsonl"
    source: dict[str, Any] = {"kind": "files", "url": "in", "glob": "*.jsonl", "format": "jsonl", "table": "orders"}
    merge = {**source, "write_disposition": "merge", "primary_key": ["id"]}
    data.write_text('{"id": 1, "state": "new"}\n{"id": 2, "state": "new"}\n')
    load(base, merge)
    data.write_text('{"id": 2, "state": "paid"}\n{"id": 3, "state": "new"}\n')
    load(base, merge)
    found = ask(base, "select id, state from raw.orders order by 1")
    assert found == [(1, "new"), (2, "paid"), (3, "new")]

    data.write_text('{"id": 9, "state": "only"}\n')
    load(base, {**source, "write_disposition": "replace"})
    assert ask(base, "select id, state from raw.orders") == [(9, "only")]

    data.write_text('{"id": 10, "state": "x", "surprise": 1}\n')
    with pytest.raises(IngestionError) as failed:
        load(base, {**source, "schema_contract": "freeze"})
    assert "surprise" in failed.value.why
    assert ask(base, "select id from raw.orders") == [(9,)]
    assert load(base, source).rows["orders"] == 1
    assert ask(base, "select surprise from raw.orders where id = 10") == [(1,)]


def test_tables_of_a_database(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(base / "shop.sqlite")) as connection, connection:
        connection.execute("create table customers (id integer primary key, name text, born date)")
        connection.executemany("insert into customers values (?, ?, '1990-01-01')", [(1, "A"), (2, "B")])
    monkeypatch.setenv("SHOP_DB", f"sqlite:///{base}/shop.sqlite")
    table = {"table": "people", "from_table": "customers", "incremental": {"cursor": "id"}, "primary_key": ["id"]}
    source = {"kind": "sql", "url": {"env": "SHOP_DB"}, "tables": [table]}
    assert load(base, source).rows["people"] == 2
    with closing(sqlite3.connect(base / "shop.sqlite")) as connection, connection:
        connection.execute("insert into customers values (3, 'C', '1990-01-01')")
    assert load(base, source).rows["people"] == 1
    assert ask(base, "select id, name from raw.people order by 1") == [(1, "A"), (2, "B"), (3, "C")]

    monkeypatch.setenv("SHOP_DB", f"sqlite:///{base}/nowhere/secret-password/x.sqlite")
    with pytest.raises(IngestionError) as failed:
        load(base, source)
    assert "secret-password" not in str(failed.value)

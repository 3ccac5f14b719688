"""Readers and writers in other processes, and a writer that is killed."""

# ruff: noqa: S608 - the statements are the test's own

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench, Lakehouse

READER = """
import json, os, sys
from pyiceberg.catalog.rest import RestCatalog
from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials
from dbt.adapters.duckdb_iceberg.rest import open_catalog
given = json.loads(os.environ["PROFILE"])
catalog = open_catalog(DuckDBIcebergCredentials.from_dict(DuckDBIcebergCredentials.__pre_deserialize__(given)))
print("ready", flush=True)
seen = set()
for line in iter(sys.stdin.readline, "stop\\n"):
    table = catalog.load_table((given["namespace"], "t"))
    found = table.scan().to_arrow()
    seen.add((found.num_rows, tuple(sorted(set(found.column("turn").to_pylist())))))
    print("seen", flush=True)
print(json.dumps(sorted(seen)))
"""

WRITER = """
import json, os, signal, sys
from dbt.adapters.duckdb_iceberg import replacing
from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials
from dbt.adapters.duckdb_iceberg.environment import IcebergEnvironment
from dbt.adapters.duckdb_iceberg.model import wanted
from dbt.adapters.duckdb_iceberg.storable import columns
given = json.loads(os.environ["PROFILE"])
given_fields = DuckDBIcebergCredentials.__pre_deserialize__(given)
environment = IcebergEnvironment(DuckDBIcebergCredentials.from_dict(given_fields))
cursor = environment.handle().cursor()
def run(sql):
    cursor.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]
staged = replacing.stage_files
def halfway(*args):
    made = staged(*args)
    print("written", flush=True)
    sys.stdin.readline()  # and here it is killed: the files are there, the commit is not
    return made
replacing.stage_files = halfway
sql = "select 99 as turn from range(1000)"
bound = cursor.sql(sql)
found = columns(bound.columns, bound.types)
model = wanted((given["namespace"], "t"), found.schema, {}, {})
replacing.Replacement(environment.catalog, run, model).do(sql, found.select)
"""


def _process(program: str, lakehouse: Lakehouse, folder: Path, namespace: str) -> subprocess.Popen[str]:
    import os

    data = lakehouse.profile(folder, namespace)
    profile = {name: value for name, value in data.items() if name not in ("type", "threads")} | {"schema": "main"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PROFILE": json.dumps(profile)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_reader_sees_whole_commits_only(bench: Bench, lakehouse: Lakehouse, tmp_path: Path) -> None:
    bench.replace("t", "select 0 as turn from range(1000)")
    reader = _process(READER, lakehouse, tmp_path / "reader", bench.namespace)
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    for turn in range(1, 21):
        reader.stdin.write("look\nlook\n")
        reader.stdin.flush()
        bench.replace("t", f"select {turn} as turn from range({1000 + turn})")  # nosec B608 - names of our own
    out, _ = reader.communicate("stop\n", timeout=60)
    seen = json.loads(out.splitlines()[-1])
    assert len(seen) > 1
    assert all(len(turns) == 1 and rows == 1000 + turns[0] for rows, turns in seen), seen
    assert len(bench.table("t").metadata.snapshots) == 21


def test_a_killed_writer_leaves_the_table_as_it_was(bench: Bench, lakehouse: Lakehouse, tmp_path: Path) -> None:
    bench.replace("t", "select 1 as turn from range(10)")
    (tmp_path / "writer").mkdir()
    writer = _process(WRITER, lakehouse, tmp_path / "writer", bench.namespace)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=20)
    assert bench.rows("t", "min(turn), count(*)") == [(1, 10)]
    bench.replace("t", "select 2 as turn from range(10)")
    assert bench.rows("t", "count(*)") == [(10,)]
    files = bench.cursor.execute(f"select count(*) from glob('{bench.table('t').location()}/data/**')").fetchone()  # nosec B608 - names of our own
    assert files == (3,)  # that of before, the killed writer's, and that of now


def test_two_writers_of_one_table_make_two_commits(bench: Bench, lakehouse: Lakehouse, tmp_path: Path) -> None:
    bench.replace("t", "select 1 as turn from range(10)")
    (tmp_path / "other").mkdir()
    other = _process(WRITER, lakehouse, tmp_path / "other", bench.namespace)
    assert other.stdout is not None
    assert other.stdout.readline() == "written\n"
    bench.replace("t", "select 2 as turn from range(10)")
    other.communicate("go\n\n\n\n", timeout=60)
    assert other.returncode == 0
    assert bench.rows("t", "distinct turn") == [(99,)]
    assert bench.rows("t", "count(*)") == [(1000,)]
    assert len(bench.table("t").metadata.snapshots) == 3

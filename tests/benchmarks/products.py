"""What building data products costs, as ratios against the alternative in the same run.

    .venv/bin/python tests/benchmarks/products.py [demos dbt lanes memory dagster] [--rows 10000000] [--rounds 3]

`lanes` and `memory` need the running platform (invoke platform.up polaris.bootstrap). Times are minima over the
rounds: what a quiet moment of this machine can do. No test asserts them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.targets import Platform

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv/bin/python"
DBT = PYTHON.with_name("dbt")
LIFECYCLE = (["seed"], ["run"], ["test"])
QUIET = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
PROJECT = """
name: bench
version: "1.0.0"
config-version: 2
profile: bench
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
models: {bench: {+materialized: table}}
"""
# What products do: clean, aggregate, join back, rank.
MODELS = {
    "cleaned": """
        select id, id % 50000 as customer_id, date '2026-01-01' + cast(id % 180 as integer) as booked_on,
               cast((id * 7919) % 100000 as decimal(18, 2)) / 100 as amount, 'note ' || (id % 1000) as note
        from range({rows}) as facts(id)""",
    "daily": """
        select customer_id, booked_on, count(*) as bookings, cast(sum(amount) as decimal(18, 2)) as amount
        from {cleaned} group by all""",
    "ranked": """
        select c.id, c.customer_id, c.amount, cast(d.amount as decimal(18, 2)) as day_amount,
               row_number() over (partition by c.customer_id order by c.amount desc, c.id) as place
        from {cleaned} as c join {daily} as d using (customer_id, booked_on)""",
}
MEMORY = "256MB"
NAMESPACE = "bench"
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(words: list[str | Path], cwd: Path = ROOT, **environ: str) -> None:
    """Run a program to its end; its output only where it fails."""
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **QUIET, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def demos(rounds: int, _rows: int) -> None:
    """All demo products by `invoke dbt.demo`, against a dbt process a command, one after another."""
    products = sorted(path.parent for path in (ROOT / "demo").glob("*/floe.yaml"))

    def apart() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for product in products:
                out = Path(folder, product.name)
                for words in LIFECYCLE:
                    paths: list[str | Path] = ["--project-dir", product, "--profiles-dir", product]
                    paths += ["--target-path", out / "target"]
                    environ = {"FLOE_DUCKDB_PATH": str(out / "file.duckdb"), "DBT_LOG_PATH": str(out / "logs")}
                    out.mkdir(exist_ok=True)
                    run([DBT, *words, *paths, "--target", "duckdb"], ROOT, **environ)

    ours = min(timed(lambda: run([PYTHON, "-m", "invoke", "dbt.demo"])) for _ in range(rounds))
    other = timed(apart)
    commands = len(products) * len(LIFECYCLE)
    report(f"invoke dbt.demo / {commands} dbt processes one after another", ours, other, limit=8.0)


def project(folder: Path, rows: int) -> None:
    """A dbt project of MODELS over `rows` facts."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    named = {name: "{{ ref('" + name + "') }}" for name in MODELS}
    for name, text in MODELS.items():
        sql = text.format(rows=rows, **named)
        (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")


def profile(folder: Path, target: dict[str, object]) -> None:
    """The profile `bench` with one target, which is JSON and so YAML too."""
    made = {"bench": {"target": "bench", "outputs": {"bench": target}}}
    (folder / "profiles.yml").write_text(json.dumps(made), encoding="utf-8")


def models_took(folder: Path, **environ: str) -> float:
    """Seconds of all models of a `dbt run --full-refresh`, as its run results say."""
    run([DBT, "run", "--full-refresh", "--project-dir", folder, "--profiles-dir", folder], folder, **environ)
    results = json.loads((folder / "target/run_results.json").read_text(encoding="utf-8"))["results"]
    return float(sum(one["execution_time"] for one in results))


def plainly(rows: int) -> float:
    """Seconds of the same SQL in DuckDB alone, in a file as dbt's is."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder, "plain.duckdb"))) as connection:
        connection.execute("set threads = 2; set timezone = 'UTC'")
        named = {name: name for name in MODELS}
        texts = {name: text.format(rows=rows, **named) for name, text in MODELS.items()}
        return sum(timed(partial(connection.execute, f"create table {n} as {q}")) for n, q in texts.items())


def file_lane(folder: Path) -> dict[str, object]:
    """A target in a file of its own, one model at a time so that times add up."""
    settings = {"threads": 2, "TimeZone": "UTC"}
    return {"type": "duckdb", "path": str(folder / "bench.duckdb"), "threads": 1, "settings": settings}


def dbt(rounds: int, rows: int) -> None:
    """dbt's own execution times over the same SQL in DuckDB alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, rows)
        profile(folder, file_lane(folder))
        ours, other = [], []
        for _ in range(rounds):
            ours.append(models_took(folder))
            (folder / "bench.duckdb").unlink()
            other.append(plainly(rows))
    report(f"dbt's models / plain DuckDB, {rows:,} rows", min(ours), min(other), ratio=1.15)


def iceberg_lane(folder: Path, platform: Platform, **settings: object) -> dict[str, object]:
    """A target in the running platform's catalog; secrets come from the environment."""
    catalog = {
        "uri": platform.urls["polaris"],
        "warehouse": platform.catalog,
        "client_id": platform.client_id,
        "client_secret": "{{ env_var('BENCH_CLIENT_SECRET') }}",  # nosec B105 - planted or a reference
    }
    storage = {
        "endpoint": platform.urls["s3"],
        "region": platform.region,
        "access_key": "{{ env_var('BENCH_ACCESS_KEY') }}",  # nosec B105 - planted or a reference
        "secret_key": "{{ env_var('BENCH_SECRET_KEY') }}",  # nosec B105 - planted or a reference
        "path_style": True,
    }
    target = {**file_lane(folder), "type": "duckdb_iceberg", "path": str(folder / "lane.duckdb")}
    target |= {"namespace": NAMESPACE, "catalog": catalog, "storage": storage}
    return {**target, "settings": {"threads": 2, "TimeZone": "UTC", **settings}}


@contextmanager
def in_the_catalog() -> Iterator[tuple[Platform, dict[str, str]]]:
    """The running platform, and the environment of a target there; what was made is dropped at the end."""
    from floe_catalog_polaris import iceberg
    from floe_ops import targets

    found = targets.current().find()
    if found is None:
        sys.exit("the platform is not running: invoke platform.up polaris.bootstrap")
    keys = found.secrets["s3-access-key"], found.secrets["s3-secret-key"]
    secret = found.secrets["polaris-client-secret"]
    try:
        yield found, {"BENCH_CLIENT_SECRET": secret, "BENCH_ACCESS_KEY": keys[0], "BENCH_SECRET_KEY": keys[1]}
    finally:
        store = iceberg.s3_properties(endpoint=found.urls["s3"], access_key=keys[0], secret_key=keys[1])
        catalog = iceberg.open_catalog(found.urls["polaris"], found.catalog, found.client_id, secret, fileio=store)
        for table in catalog.list_tables((NAMESPACE,)):
            catalog.drop_table(table)  # the catalog keeps the files: purging is off by default
        catalog.drop_namespace((NAMESPACE,))


def lanes(rounds: int, rows: int) -> None:
    """The same models in the catalog and in a file, by dbt's own execution times."""
    with tempfile.TemporaryDirectory() as name, in_the_catalog() as (platform, environ):
        folder = Path(name)
        project(folder, rows)
        ours, other = [], []
        for _ in range(rounds):
            profile(folder, file_lane(folder))
            other.append(models_took(folder))
            profile(folder, iceberg_lane(folder, platform))
            ours.append(models_took(folder, **environ))
    report(f"Iceberg lane / DuckDB lane, {rows:,} rows", min(ours), min(other), ratio=2.0)


def memory(_rounds: int, rows: int) -> None:
    """Peak memory of dbt while a table of ten times DuckDB's limit is written, against the same with 1,000 rows."""
    text = "select id, repeat(md5(id::varchar), 8) as filler from range({rows}) as wide(id)"  # 264 bytes a row
    with tempfile.TemporaryDirectory() as name, in_the_catalog() as (platform, environ):
        peaks = []
        for count in (rows, 1000):
            folder = Path(name, str(count))
            project(folder, count)
            for model in (folder / "models").iterdir():
                model.unlink()
            (folder / "models/wide.sql").write_text(text.format(rows=count), encoding="utf-8")
            profile(folder, iceberg_lane(folder, platform, memory_limit=MEMORY))
            words: list[str | Path] = [
                PYTHON,
                "-c",
                PEAK,
                DBT,
                "run",
                "--project-dir",
                folder,
                "--profiles-dir",
                folder,
            ]
            done = subprocess.run(
                words, cwd=folder, env={**os.environ, **QUIET, **environ}, capture_output=True, text=True, check=True
            )
            peaks.append(int(done.stdout.split()[-1]) / 1024)
    title = f"peak memory, {rows * 264 / 2**30:.1f} GiB written with a limit of {MEMORY} / 1,000 rows"
    print(f"{title:<62} {peaks[0]:6.0f} MiB {peaks[1]:6.0f} MiB   ratio {peaks[0] / peaks[1]:5.2f}", flush=True)  # noqa: T201


def dagster(rounds: int, _rows: int) -> None:
    """Loading a code location, against importing Dagster alone; the manifest is fresh, as after the first load."""
    script = "import runpy; runpy.run_path('demo/customer-360/definitions.py')['defs'].get_repository_def()"
    with tempfile.TemporaryDirectory() as state:
        run([PYTHON, "-c", script], FLOE_PRODUCT_STATE=state)
        ours = min(timed(lambda: run([PYTHON, "-c", script], FLOE_PRODUCT_STATE=state)) for _ in range(rounds))
    other = min(timed(lambda: run([PYTHON, "-c", "import dagster"])) for _ in range(rounds))
    report("a product's code location loads / import dagster", ours, other, limit=3.0)


def main() -> None:
    """Run what is named, or all."""
    known = {"demos": demos, "dbt": dbt, "lanes": lanes, "memory": memory, "dagster": dagster}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="*", choices=[*known, []], default=list(known))
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    for name in said.what or known:
        known[name](said.rounds, said.rows)


def report(title: str, ours: float, other: float, *, ratio: float | None = None, limit: float | None = None) -> None:
    """One line: both times, their ratio and what is asked for."""
    asked = f"  (asked: at most {ratio})" if ratio else f"  (asked: at most {limit:g} s)" if limit else ""
    print(f"{title:<62} {ours:8.2f} s {other:8.2f} s   ratio {ours / other:5.2f}{asked}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

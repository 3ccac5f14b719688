"""The demo products built by Spark, and held row for row against what DuckDB built of the same files.

The product is the demo's own but for its name, so that its tables lie beside those of the Iceberg lane and not among
them; the manifest is the demo's own but for `compute: spark`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # nosec B404 - Python is a program
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from floe_core.errors import ExitCode, FloeError, WrongStateError
from floe_core.plugins import Lane
from floe_core.running import releasing

from floe_ops import orphans, project
from floe_ops.products import alike, declared, reading, truths
from floe_ops.products.build import DEFAULT_SCHEMA, Ask, build_product
from floe_ops.products.places import Places, slug

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.products.alike import Alike
    from floe_ops.products.result import Truth
    from floe_ops.targets import Platform
    from floe_ops.toolchain.spark import Spark

WORKER = "floe_ops.products.spark_worker"
JARS_ENV = "FLOE_SPARK_JARS"
PREFIX = "spark"
LIMIT_S = 1800
TAIL = 12
_LEFT_OUT = shutil.ignore_patterns("target", "dbt_packages", "logs", "__pycache__", "*.duckdb", "*.wal")


@dataclass(frozen=True)
class SparkBuild:
    """What a product came to in Spark.

    Attributes:
        product: The demo's name.
        namespace: Where its tables are in the catalog.
        models: Seconds by model.
        steps: Seconds by step.
        tests_passed: Data tests and unit tests that passed.
        tables: Each table, held against DuckDB's.
        truths: The planted truths, all of them found.
        wall_s: Seconds of the build in Spark, from the process's start to its end.
    """

    product: str
    namespace: str
    models: dict[str, float]
    steps: dict[str, float]
    tests_passed: int
    tables: tuple[Alike, ...]
    truths: tuple[Truth, ...]
    wall_s: float


@dataclass(frozen=True)
class SparkAsk:
    """How Spark is asked.

    Attributes:
        config: The compute plugin's configuration.
        keep: Leave the tables in the catalog.
        home: Where to keep what is built; `.floe/products` where it is None.
    """

    config: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    home: Path | None = None


def build(
    product_dir: Path, platform: Platform, spark: Spark, ask: SparkAsk, *, tell: Callable[[str], None]
) -> SparkBuild:
    """Build the product in `product_dir` with DuckDB and with Spark, and compare.

    Args:
        product_dir: Folder with `floe.yaml`, the dbt project and `truths.yaml`.
        platform: The running platform.
        spark: The environment, Java and jars.
        ask: How Spark is asked.
        tell: Told a line for each thing that ended.

    Raises:
        DbtError: dbt failed in either engine.
        WrongStateError: The two differ, or a truth is not found; names every difference by table and column.
        FloeError: The product cannot be compiled, or the catalog or Spark cannot be had.
    """
    product_dir = product_dir.resolve()
    name = product_dir.name
    duckdb_lane = Places.of(name, Lane.DUCKDB, ask.home)
    tell(f"{name}: building with DuckDB, to compare with …")
    build_product(product_dir, Ask(Lane.DUCKDB, home=ask.home))
    home = duckdb_lane.target / PREFIX
    copied, manifest = _copy(product_dir, home, ask.config)
    tell(f"{name}: building with Spark …")
    started = time.monotonic()
    given = {**platform.environment(), **_of_spark(spark)}
    namespace = slug(copied.name)
    try:
        came_to = _work(copied, manifest, given=given, python=spark.python, tell=tell)
        wall_s = time.monotonic() - started
        tables, answers = _held_against(product_dir, home, namespace, duckdb_lane.database, platform)
    finally:
        if not ask.keep:
            _drop(platform, namespace)
    place = f"{platform.catalog}.{namespace}"
    figures = _figures(came_to)
    return SparkBuild(product=name, namespace=place, tables=tables, truths=answers, wall_s=round(wall_s, 3), **figures)


def _figures(came_to: dict[str, Any]) -> dict[str, Any]:
    """What the worker told of its build, as a result keeps it."""
    nodes = came_to["nodes"]
    return {
        "models": {node["name"]: node["seconds"] for node in nodes if node["type"] == "model"},
        "steps": {step["name"]: step["seconds"] for step in came_to["steps"]},
        "tests_passed": sum(node["status"] == "pass" for node in nodes),
    }


def _copy(product_dir: Path, home: Path, config: dict[str, Any]) -> tuple[Path, Path]:
    """The product under its other name, and the manifest that chooses Spark."""
    name = f"{PREFIX}-{product_dir.name}"
    copied = home / name
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(product_dir, copied, ignore=_LEFT_OUT)
    _rewrite(copied / "floe.yaml", lambda spec: spec["metadata"].update(name=name))
    _rewrite(copied / "dbt_project.yml", lambda dbt: dbt.update(profile=slug(name)))
    manifest = home / "manifest.yaml"
    shutil.copy(project.root() / "demo" / "manifest.yaml", manifest)
    _rewrite(manifest, lambda platform: platform["plugins"].update(compute={"type": "spark", "config": config}))
    return copied, manifest


def _rewrite(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _of_spark(spark: Spark) -> dict[str, str]:
    return {JARS_ENV: ",".join(str(jar) for jar in spark.jars), "JAVA_HOME": str(spark.java.path.resolve().parents[1])}


def _work(
    product: Path, manifest: Path, *, given: dict[str, str], python: Path, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Let the worker build; its progress is passed on, what Java says is kept in a file."""
    home = manifest.parent
    outcome, log = home / "outcome.json", home / "spark.log"
    outcome.unlink(missing_ok=True)
    arguments = [str(path) for path in (product, manifest, home / "target", outcome)]
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(  # noqa: S603  # nosec B603 - our own Python, no shell
            [str(python), "-m", WORKER, *arguments],
            cwd=home,
            env={**os.environ, **given, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - one system call, prepared before the fork
        ) as process,
    ):
        # Spark's Java ends when the pipe from its Python does.
        ending = threading.Timer(LIMIT_S, process.kill)
        ending.start()
        try:
            for line in process.stdout or ():
                tell(f"  {line.rstrip()}")
            process.wait()
        finally:
            ending.cancel()
            process.kill()
    return _outcome(outcome, log)


def _outcome(file: Path, log: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
        raise FloeError(
            "the build in Spark ended before it came to anything",
            where=str(log),
            why=" | ".join(last) or "it said nothing",
            remedy="see that file; a process that was killed may have wanted more memory",
        ) from None
    if failure := told.get("failure"):
        code = ExitCode(failure.pop("exit_code"))
        raise FloeError(**failure, exit_code=code)
    return told


def _held_against(
    product_dir: Path, home: Path, namespace: str, database: Path, platform: Platform
) -> tuple[tuple[Alike, ...], tuple[Truth, ...]]:
    """The catalog's tables, read by PyIceberg, against DuckDB's own."""
    copy = home / "read_back.duckdb"
    nodes = declared.nodes(home / "target" / "lanes" / Lane.ICEBERG.value / "dbt" / "manifest.json")
    stored = [reading.Stored(name, node.table, _identifier(namespace, node.table)) for name, node in nodes.items()]
    facts = reading.with_pyiceberg(platform, stored, copy)
    where = f"{platform.catalog}.{namespace}"
    declared.check_partitions(nodes, {one.name: one.partitions for one in facts}, where=where)
    tables = alike.compare(database, copy, [one.table for one in stored])
    if found := [text for table in tables for text in table.differences]:
        raise WrongStateError(
            f"DuckDB and Spark do not agree on {product_dir.name} (DuckDB against Spark)",
            where=where,
            why="\n         ".join(found),
            remedy="write the SQL so that both engines read it alike, or dispatch a macro where they differ",
        )
    import duckdb

    with duckdb.connect(str(copy), read_only=True) as connection:
        return tables, truths.check(connection, truths.load(product_dir), where=f"{where}, built by Spark")


def _identifier(namespace: str, table: str) -> tuple[str, ...]:
    schema, name = table.split(".", 1)
    return releasing.identifier(namespace, schema, name, default_schema=DEFAULT_SCHEMA)


def _drop(platform: Platform, namespace: str) -> None:
    """Take the product out of the catalog, and its files out of the store, which Polaris itself need not allow."""
    from floe_iceberg import reachability
    from pyiceberg.exceptions import NoSuchNamespaceError

    catalog = reading.open_catalog(platform)
    try:
        below = catalog.list_namespaces((namespace,))
    except NoSuchNamespaceError:
        return
    for one in (*below, (namespace,)):
        for identifier in catalog.list_tables(one):
            table = catalog.load_table(identifier)
            files = [*reachability.only_of(table.metadata, table.io, list(table.metadata.snapshots), [])]
            files += [table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)]
            catalog.drop_table(identifier)
            for file in files:
                with suppress(FileNotFoundError):
                    table.io.delete(file)
        catalog.drop_namespace(one)

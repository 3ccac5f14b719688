"""The task `dbt.spark`: it is a member of the namespace `dbt`, whose module imports it."""

from __future__ import annotations

import json as encoder
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops import targets
from floe_ops.console import err, say
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context

    from floe_ops.products.spark import SparkBuild
    from floe_ops.targets import Platform

# The demos are small: a Java that compiles quickly and not well is done sooner.
SMALL = {"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"}


@task(
    help={
        "product": "a folder below demo/; all of them by default",
        "master": "where Spark runs: local[N], spark://host:port, k8s://https://host:port",
        "connect": "a Spark Connect server in the place of a driver of our own: sc://host:port",
        "memory": "the driver's memory",
        "keep": "leave the tables in the catalog, in the namespace spark_<product>",
        "json": "print one JSON object instead of words",
    }
)
def spark(  # noqa: PLR0913 - the command's options
    _context: Context,
    *,
    product: str = "",
    master: str = "local[2]",
    connect: str = "",
    memory: str = "1g",
    keep: bool = False,
    json: bool = False,
) -> None:
    """Build the demo products with Spark into the running platform's catalog, and compare with DuckDB row for row."""
    from floe_ops.products import demos
    from floe_ops.products.spark import SparkAsk, build
    from floe_ops.toolchain import spark as engine

    folders = demos.folders(product or None)
    platform = _platform()
    tell = (lambda line: err().print(line, markup=False)) if json else say
    ready = engine.ensure()
    settings = {} if connect else SMALL
    ask = SparkAsk({"master": master, "connect": connect, "memory": memory, "settings": settings}, keep)
    built = [build(folder, platform, ready, ask, tell=tell) for folder in folders]
    if json:
        say(encoder.dumps([asdict(one) for one in built], default=lambda truth: truth.model_dump(mode="json")))
        return
    for one in built:
        _print(one)


def _print(built: SparkBuild) -> None:
    say(f"{built.product} in Spark: {built.namespace}")
    say("models: " + "  ".join(f"{name} {seconds:.2f} s" for name, seconds in built.models.items()))
    for table in built.tables:
        say(f"table {table.table}: {table.rows} rows, {table.cells} values equal to DuckDB's")
    for column in (text for table in built.tables for text in table.wider):
        say(f"  another type, equal values: {column}")
    say("steps: " + "  ".join(f"{name} {seconds:.1f} s" for name, seconds in built.steps.items()))
    say(f"{built.product}: {built.tests_passed} tests passed, {len(built.truths)} truths found, {built.wall_s:.1f} s")


def _platform() -> Platform:
    target = targets.current()
    found = target.find()
    if found is None:
        raise MissingToolError(
            "Spark's lane needs a running platform",
            where=f"target {target.name}",
            why="none is running",
            remedy="invoke platform.up polaris.bootstrap",
        )
    return found

"""Invoke tasks of the namespace `dbt`."""

from __future__ import annotations

import json as encoder
import time
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, UsageError

from floe_ops import evidence, targets
from floe_ops.console import err, say
from floe_ops.tasks.base import task
from floe_ops.tasks.dbt_spark import spark as spark  # noqa: PLC0414 - a task of this namespace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from invoke.context import Context

    from floe_ops.products import BuildResult
    from floe_ops.targets import Platform

LANES = ("duckdb", "iceberg")


@task(
    help={
        "lane": "duckdb (files, no service needed) or iceberg (tables in the running platform's catalog)",
        "product": "a folder below demo/; all of them by default",
        "compare": "build nothing: hold the last results of both lanes against each other",
        "json": "print one JSON object instead of words",
    }
)
def demo(
    _context: Context, *, lane: str = "duckdb", product: str = "", compare: bool = False, json: bool = False
) -> None:
    """Build the demo products and show what they found: business numbers, each model's time, the total."""
    from floe_ops.products import demos

    if lane not in LANES:
        raise UsageError(f"there is no lane {lane!r}", where="--lane", remedy=f"one of: {', '.join(LANES)}")
    folders = demos.folders(product or None)
    if compare:
        results = [result for folder in folders for result in _compare(folder.name)]
    else:
        platform = _platform() if lane == "iceberg" else None
        tell = (lambda line: err().print(line, markup=False)) if json else say
        results = [_build(folder, lane, platform, tell) for folder in folders]
    if json:
        say(encoder.dumps([result.model_dump(mode="json") for result in results]))
        return
    for result in results:
        _print(result)
    if compare:
        say("the lanes agree: equal rows, sums and contents in every table, equal answers to every truth")


def _compare(product: str) -> tuple[BuildResult, BuildResult]:
    from floe_ops.products.compare import compare

    files, catalog = compare(product)
    rows = ", ".join(f"{table.name} {table.rows}" for table in catalog.tables)
    evidence.record("WU5-AC5", "passed", f"{product}: both lanes agree in rows, sums and contents ({rows})")
    return files, catalog


def _build(folder: Path, lane: str, platform: Platform | None, tell: Callable[[str], None]) -> BuildResult:
    from floe_core.plugins import Lane

    from floe_ops.products import build_product, demos

    tell(f"{folder.name}, lane {lane}: dbt debug …")
    started = time.monotonic()
    demos.check_profile(folder, Lane(lane))
    tell(f"debug  {time.monotonic() - started:.2f} s")
    evidence.record(
        "WU5-AC1", "passed", f"dbt debug of {folder.name}, target {lane}, passed from a foreign working directory"
    )
    result = build_product(folder, lane, platform, progress=tell)
    _record(result)
    return result


def _record(result: BuildResult) -> None:
    steps = " → ".join(step.name for step in result.steps)
    if result.rebuilt:
        seen = f"{result.product}: {steps}, over the database of an earlier run; {result.tests_passed} tests passed"
        evidence.record("WU5-AC2", "passed", seen)
    if result.lane == "iceberg":
        tables = ", ".join(f"{table.name} {table.rows} rows in snapshot {table.snapshot_id}" for table in result.tables)
        evidence.record("WU5-AC5", "passed", f"{result.product}: {tables}; read back equal with PyIceberg")


def _platform() -> Platform:
    target = targets.current()
    found = target.find()
    if found is None:
        raise MissingToolError(
            "the Iceberg lane needs a running platform",
            where=f"target {target.name}",
            why="none is running",
            remedy="invoke platform.up polaris.bootstrap",
        )
    return found


def _print(result: BuildResult) -> None:
    from rich.table import Table

    from floe_ops.console import out

    found = Table(title=f"{result.product}: what it found ({result.lane})", title_justify="left")
    found.add_column("truth")
    found.add_column("found", justify="right")
    for truth in result.truths:
        many = not isinstance(truth.found, str)
        found.add_row(truth.says, f"{len(truth.found)}, as planted" if many else str(truth.found))
    out().print(found)
    times = "  ".join(f"{model.name} {model.seconds:.2f} s" for model in result.models)
    say(f"models: {times}")
    for table in result.tables:
        place = f", snapshot {table.snapshot_id}" if table.snapshot_id else ""
        say(f"table {table.name}: {table.rows} rows{place}")
    steps = "  ".join(f"{step.name} {step.seconds:.1f} s" for step in result.steps)
    say(f"steps: {steps}")
    say(
        f"{result.product}: {result.tests_passed} tests passed, enforcement {result.enforcement}, {result.wall_s:.1f} s"
    )

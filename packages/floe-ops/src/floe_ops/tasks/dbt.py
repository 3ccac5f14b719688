"""Invoke tasks of the namespace `dbt`."""

from __future__ import annotations

import json as encoder
import time
from typing import TYPE_CHECKING

from floe_core.errors import ExitCode, MissingToolError, UsageError
from invoke.exceptions import Exit

from floe_ops import evidence, targets
from floe_ops.console import say
from floe_ops.tasks.base import task
from floe_ops.tasks.dbt_spark import spark as spark  # noqa: PLC0414 - a task of this namespace

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.errors import FloeError
    from invoke.context import Context

    from floe_ops.products import BuildResult
    from floe_ops.products.worker import Failure
    from floe_ops.targets import Platform

LANES = ("duckdb", "iceberg")


@task(
    help={
        "lane": "duckdb (files, no service needed) or iceberg (tables in the running platform's catalog)",
        "product": "a folder below demo/; all of them by default, side by side",
        "compare": "build nothing: hold the last results of both lanes against each other",
        "scale": "build this many times the facts, generated as Parquet, with truths of their own",
        "retry": "only what the last build left undone, and what depends on it",
        "json": "print one JSON object instead of words",
    }
)
def demo(  # noqa: PLR0913 - the words of a command line
    _context: Context,
    *,
    lane: str = "duckdb",
    product: str = "",
    compare: bool = False,
    scale: int = 1,
    retry: bool = False,
    json: bool = False,
) -> None:
    """Build the demo products and show what they found: business numbers, each model's time, the total."""
    from floe_ops.products import BuildResult, demos

    if lane not in LANES:
        raise UsageError(f"there is no lane {lane!r}", where="--lane", remedy=f"one of: {', '.join(LANES)}")
    if scale < 1:
        raise UsageError(f"a scale of {scale} builds nothing", where="--scale", remedy="1 or more")
    folders = demos.folders(product or None)
    if compare:
        results = [result for folder in folders for result in _compare(folder.name)]
        _show(results, json=json)
        if not json:
            say("the lanes agree: equal rows, sums and contents in every table, equal answers to every truth")
        return
    started = time.monotonic()
    outcomes = _built(folders, lane, scale, json=json, retry=retry)
    failures = {name: outcome for name, outcome in outcomes.items() if not isinstance(outcome, BuildResult)}
    _show([outcome for outcome in outcomes.values() if isinstance(outcome, BuildResult)], json=json)
    if failures:
        raise _failed(failures, len(outcomes))
    if not json:
        say(f"{len(outcomes)} {'product' if len(outcomes) == 1 else 'products'} in {time.monotonic() - started:.1f} s")


def _built(
    folders: tuple[Path, ...], lane: str, scale: int, *, json: bool, retry: bool
) -> dict[str, BuildResult | Failure]:
    from floe_core.cli.stopping import Stopped, stoppable
    from floe_core.plugins import Lane

    from floe_ops.products import Ask, BuildResult, board, crew, worker

    platform = _platform() if lane == "iceberg" else None
    ask = Ask(Lane(lane), scale, retry)
    names = [folder.name for folder in folders]
    try:
        with stoppable(crew.END_S + 1):
            crew.warm_up(folders[0], ask, platform)
            with board.shown(names, as_json=json) as shown:
                jobs = [worker.Job(folder, ask, platform) for folder in folders]
                outcomes = crew.build_all(jobs, shown.told, idle=shown.idle)
    except Stopped as stopped:
        raise Exit(f"✗ {stopped}: the builds have ended", code=stopped.exit_code) from None
    for outcome in outcomes.values():
        if isinstance(outcome, BuildResult):
            _record(outcome, retried=retry)
    return outcomes


def _failed(failures: dict[str, Failure], count: int) -> FloeError:
    """One error for all of them; it ends the program with the code of the worst."""
    from floe_core.errors import FloeError

    ((name, first), *others) = sorted(failures.items(), key=lambda one: -one[1].exit_code)
    if not others:
        error = FloeError(f"{name}: {first.what}", where=first.where, why=first.why, remedy=first.remedy)
    else:
        told = [f"{name}: {one.what} ({one.where}): {one.why}" for name, one in failures.items()]
        error = FloeError(
            f"{len(failures)} of {count} products failed",
            where=", ".join(failures),
            why="\n         ".join(told),
            remedy="correct them, and run invoke dbt.demo --retry",
        )
    error.exit_code = ExitCode(first.exit_code)
    return error


def _show(results: list[BuildResult], *, json: bool) -> None:
    if json:
        say(encoder.dumps([result.model_dump(mode="json") for result in results]))
        return
    for result in results:
        _print(result)


def _compare(product: str) -> tuple[BuildResult, BuildResult]:
    from floe_ops.products.compare import compare

    files, catalog = compare(product)
    rows = ", ".join(f"{table.name} {table.rows}" for table in catalog.tables)
    evidence.record("WU5-AC5", "passed", f"{product}: both lanes agree in rows, sums and contents ({rows})")
    return files, catalog


def _record(result: BuildResult, *, retried: bool) -> None:
    if retried:  # a part of the sequence proves nothing of the whole
        return
    lane = result.lane.value
    evidence.record(
        "WU5-AC1", "passed", f"dbt debug of {result.product}, target {lane}, passed from a foreign working directory"
    )
    steps = " → ".join(step.name for step in result.steps)
    if result.rebuilt:
        seen = f"{result.product}: {steps}, over the database of an earlier run; {result.tests_passed} tests passed"
        evidence.record("WU5-AC2", "passed", seen)
    if result.lane == "iceberg":
        tables = ", ".join(f"{table.name} {table.rows} rows in snapshot {table.snapshot_id}" for table in result.tables)
        seen = f"{result.product}: {tables}; read back equal with PyIceberg and with a plain DuckDB"
        evidence.record("WU5-AC5", "passed", seen)


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
    if result.released:
        say(f"released: the output ports' snapshots have the tag v{result.released}")
    steps = "  ".join(f"{step.name} {step.seconds:.1f} s" for step in result.steps)
    say(f"steps: {steps}")
    say(
        f"{result.product}: {result.tests_passed} tests passed, enforcement {result.enforcement}, {result.wall_s:.1f} s"
    )

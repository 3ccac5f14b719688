"""Invoke tasks of the namespace `dagster`."""

from __future__ import annotations

import json as json_text
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops import console, evidence, project, words
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_core.errors import FloeError
    from invoke.context import Context

PLUGIN = "plugins/floe-orchestrator-dagster/src"


@task(
    help={
        "path": f"Package, folder or file to audit (default: {PLUGIN}).",
        "json": "Print the report as JSON instead of a table.",
        "static": "Only read: do not import the audited modules to hear their warnings.",
        "newest": "Ask the package index too whether a newer Dagster, or a 2.x, is out.",
    }
)
def audit(context: Context, *, path: str = "", json: bool = False, static: bool = False, newest: bool = False) -> None:
    """Audit a package's use of Dagster against the installed library: what is gone by 2.0 fails, with exit code 4.

    invoke dagster.audit                          # the orchestrator plugin, and the lock that its Dagster stands in
    invoke dagster.audit --path ~/my/package      # anything else that uses Dagster
    invoke dagster.audit --json --static --path my_definitions.py
    """
    del context
    from floe_core.errors import FloeError

    from floe_ops.audits import dagster_api
    from floe_ops.audits.dagster_api.table import show, summary
    from floe_ops.audits.dagster_newest import newest as ask

    index = ask() if newest else None
    try:
        report = dagster_api.audit(Path(path) if path else project.root() / PLUGIN, run=not static)
        if json:
            more = {"newest": asdict(index)} if index else {}
            console.say(json_text.dumps(report.to_json() | more, indent=1))
        else:
            show(report)
            console.say(summary(report))
        dagster_api.require_clean(report)
    except FloeError as error:
        _prove(path, "WU3-AC3", error)
        raise
    _prove(path, "WU3-AC3", summary(report))
    if not path:
        _lock(quiet=json)
    if index and not json:
        console.say(index.sentence())


@task(
    help={
        "job": "The job, for example customer_360_build.",
        "location": "The code location that has it; needed where several have one of that name.",
        "assets": "Only these assets: keys with commas between, for example customer_360/marts/mart_churn_risk.",
        "timeout": "Seconds to wait for the run's end (600).",
    }
)
def launch(context: Context, job: str, location: str = "", assets: str = "", timeout: str = "600") -> None:
    """Launch a run by GraphQL and wait for it; a failure shows the step's error and its last lines, and ends with 4.

    invoke platform.up --dagster dagster.launch customer_360_build
    """
    del context
    from floe_ops import launching

    wanted = [key for key in assets.split(",") if key]
    for line in launching.launch(_url(), job, location, wanted, words.seconds(timeout, "--timeout")):
        console.say(line)


@task(help={"json": "Print JSON for programs."})
def status(context: Context, json: bool = False) -> None:
    """What Dagster serves and does: code locations, assets, schedules, sensors, the last runs.

    invoke dagster.status --json
    """
    del context
    from floe_ops import launching

    seen = launching.look(_url())
    if json:
        console.say(json_text.dumps(seen.to_json(), indent=1))
    else:
        for line in seen.lines():
            console.say(line)


def _url() -> str:
    """The webserver in `FLOE_DAGSTER_URL`, else the platform's.

    Raises:
        MissingToolError: No platform runs, or it runs without Dagster.
    """
    from floe_ops import targets

    named = os.environ.get("FLOE_DAGSTER_URL", "")
    found = None if named else targets.current().find()
    url = found.urls.get("dagster", "") if found else named
    if url:
        return url
    raise MissingToolError(
        "there is no Dagster to ask",
        why="no platform runs" if found is None else "the platform runs without it",
        remedy="call `invoke platform.up --dagster`, or name a webserver in FLOE_DAGSTER_URL",
    )


def _lock(*, quiet: bool) -> None:
    """The rest of the unit: the libraries in one lock (WU3-AC2), pinned with a reason (WU3-AC1)."""
    from floe_core.errors import FloeError

    from floe_ops.audits.dagster_lock import check_lock, check_pins

    checks: dict[str, Callable[[Path], str]] = {
        "WU3-AC2": lambda root: check_lock(root).sentence(),
        "WU3-AC1": check_pins,
    }
    for criterion, check in checks.items():
        try:
            sentence = check(project.root())
        except FloeError as error:
            _prove("", criterion, error)
            raise
        if not quiet:
            console.say(sentence)
        _prove("", criterion, sentence)


def _prove(path: str, criterion: str, outcome: str | FloeError) -> None:
    """Evidence is left only by the audit of the project's own plugin."""
    if path:
        return
    if isinstance(outcome, str):
        evidence.record(criterion, "passed", outcome)
    else:
        evidence.record(criterion, "failed", f"{outcome.what}: {outcome.why}".rstrip(": "))

"""Invoke tasks of the namespace `dagster`."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING

from floe_ops import console, evidence, project
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from floe_core.errors import FloeError
    from invoke.context import Context

PLUGIN = "plugins/floe-orchestrator-dagster/src"


@task(
    help={
        "path": f"Package, folder or file to audit (default: {PLUGIN}).",
        "json": "Print the report as JSON instead of a table.",
        "static": "Only read: do not import the audited modules to hear their warnings.",
    }
)
def audit(context: Context, *, path: str = "", json: bool = False, static: bool = False) -> None:
    """Audit a package's use of Dagster against the installed library: what is gone by 2.0 fails."""
    del context
    from floe_core.errors import FloeError

    from floe_ops.audits import dagster_api
    from floe_ops.audits.dagster_api.table import show, summary

    try:
        report = dagster_api.audit(Path(path) if path else project.root() / PLUGIN, run=not static)
        if json:
            console.say(json_text.dumps(report.to_json(), indent=1))
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


def _lock(*, quiet: bool) -> None:
    """The other half of the unit: the libraries in one lock (WU3-AC2)."""
    from floe_core.errors import FloeError

    from floe_ops.audits.dagster_lock import check_lock

    try:
        sentence = check_lock(project.root()).sentence()
    except FloeError as error:
        _prove("", "WU3-AC2", error)
        raise
    if not quiet:
        console.say(sentence)
    _prove("", "WU3-AC2", sentence)


def _prove(path: str, criterion: str, outcome: str | FloeError) -> None:
    """Evidence is left only by the audit of the project's own plugin."""
    if path:
        return
    if isinstance(outcome, str):
        evidence.record(criterion, "passed", outcome)
    else:
        evidence.record(criterion, "failed", f"{outcome.what}: {outcome.why}".rstrip(": "))

"""Invoke tasks of the namespace `final`: the acceptance gate and the rules of the suite."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from floe_ops import console, project
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    help={
        "unit": "only the tests of one work unit, for example WU1",
        "lane": "only the tests of one lane: duckdb or catalog",
        "side-by-side": "modules side by side, one a core; for tests that need no platform",
    }
)
def prove(_context: Context, unit: str = "", lane: str = "", *, side_by_side: bool = False) -> None:
    """Run the e2e suite against the platform that is up; each test leaves evidence for its criteria."""
    from floe_ops.proving import Choice
    from floe_ops.proving import prove as run

    run(Choice(unit=unit, lane=lane, side_by_side=side_by_side))


@task()
def xfails(_context: Context) -> None:
    """Hold every expected failure against the rules: strict, reason, tracking reference, last day."""
    from floe_ops.audits import collected
    from floe_ops.audits import xfails as registry

    entries = registry.audit(collected.collect(project.root()), datetime.now(UTC).date())
    registry.keep(entries)
    for entry in entries:
        console.say(f"  until {entry.until}  {entry.nodeid}: {entry.reason}")
    console.say(f"✓ {len(entries)} expected failures, all within the rules")


@task(help={"target": "the target whose due criteria count; FLOE_TARGET or local where left out"})
def traceability(_context: Context, target: str = "") -> None:
    """Hold tests against criteria: no unknown id, every due criterion tested, every e2e test for a criterion."""
    from floe_ops import plan
    from floe_ops.audits import collected
    from floe_ops.audits import traceability as audit

    named = target or os.environ.get("FLOE_TARGET") or "local"
    coverage = audit.audit(collected.collect(project.root()), plan.load(), named)
    console.say(f"✓ {len(coverage.tests)} criteria are due on {named}, each with a test")


@task(
    help={
        "only": "one fault by its id; all where left out",
        "session_only": "run the session concerned alone (faster; says nothing about its dependents)",
    }
)
def faults(_context: Context, *, only: str = "", session_only: bool = False) -> None:
    """Plant each known fault in a worktree and see that its session fails, names it, and blocks what depends on it."""
    from floe_ops import faults as planted

    planted.run(only=only, session_only=session_only)


@task()
def lint(_context: Context) -> None:
    """Run the static gates: ruff, its formatter, mypy, shellcheck, zizmor, actionlint and the lock."""
    from floe_ops import gates

    gates.run(project.root())


@task(help={"json": "print verdict.json", "gate": "inside of `final`: fail when a due criterion was not shown"})
def verdict(_context: Context, *, json: bool = False, gate: bool = False) -> None:
    """Print the last verdict; example: invoke final.verdict --json | jq .headline."""
    from floe_ops import gate as the_gate

    if gate:
        the_gate.hold(project.root(), project.run_dir())
    else:
        the_gate.show(project.root(), as_json=json)


@task(name="complete", help={"json": "print one JSON object a criterion instead of a table"})
def complete_(_context: Context, *, json: bool = False) -> None:
    """Join what runs on the local and the cluster target showed of this commit; any criterion that is missing fails."""
    from dataclasses import asdict
    from json import dumps

    from floe_ops import gate as the_gate

    rows = the_gate.require_complete(project.root())
    for row in rows:
        places = ", ".join(row.targets)
        console.say(dumps(asdict(row)) if json else f"  {row.id:<9} {places:<15} {row.title}")
    if not json:
        console.say(f"✓ all {len(rows)} criteria of the plan are shown on this commit")


@task(help={"write": "write the pages instead of holding the checked-in ones against what would be written"})
def docs(_context: Context, *, write: bool = False) -> None:
    """Check that the generated pages of docs/ are current; example: invoke final.docs --write."""
    from floe_ops import pages

    if write:
        pages.write(project.root() / "docs")
    else:
        pages.check()
        console.say("✓ generated pages are current")

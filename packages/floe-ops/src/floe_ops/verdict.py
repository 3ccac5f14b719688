"""The verdict: what the sessions of a run left behind, held against the plan. Standard library only.

It is made by the parent when Nox ends, because Nox never runs the body of `final` when a prerequisite fails: the
facts are in the run's folder (`<session>.session.json`, `.evidence.jsonl`, `.failure.json`, `.totals.json`) and, for
what was up to date, in the ledger. `verdict.json` has the shape that docs/verdict.md describes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from floe_ops import complete, junit, ledger, otlp_json, plan, project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1
KEPT_RUNS = 20
TOTALS = ("passed", "failed", "errors", "skipped", "xfailed", "xpassed")
BAD = {"failed", "blocked"}


@dataclass
class CriterionResult:
    """What became of one criterion; `evidence` is what was seen, or why nothing was."""

    id: str
    title: str
    tasks: tuple[str, ...]
    status: str
    evidence: str


@dataclass
class UnitResult:
    """What became of one session of the plan; times in seconds, `started_s` after the start of the run."""

    id: str
    session: str
    phase: int
    requires: tuple[str, ...]
    status: str
    started_s: float
    wall_s: float
    reason: str
    criteria: list[CriterionResult] = field(default_factory=list)


@dataclass
class Verdict:
    """The whole verdict of one run."""

    schema: int
    headline: str
    run: str
    trace_id: str
    commit: str
    target: str
    catalog: str
    started_at: str
    wall_s: float
    critical_path_s: float
    units: list[UnitResult]
    totals: dict[str, int]
    advisories: dict[str, str]


def assemble(root: Path, run: Path, wanted: set[str], environ: dict[str, str]) -> Verdict:
    """Hold a run against the plan.

    Args:
        root: The project's root.
        run: The run's folder.
        wanted: The sessions that were asked for, with all that they require.
        environ: The environment of the run (FLOE_RUN_STARTED, FLOE_TRACE_ID, FLOE_TARGET).
    """
    the_plan, records = plan.load(), ledger.read(root)
    started = int(environ.get("FLOE_RUN_STARTED") or time.time_ns())
    target = environ.get("FLOE_TARGET") or "local"
    units: dict[str, UnitResult] = {}
    for session in the_plan.sessions.values():
        if session.name in wanted:
            units[session.name] = _unit(session, run, started, units)
    for unit_id in the_plan.units:
        of_unit = [unit for unit in units.values() if unit.id == unit_id]
        if of_unit and len(of_unit) == sum(one.unit == unit_id for one in the_plan.sessions.values()):
            facts = _facts(run, records, [*of_unit, *(u for u in units.values() if u.session == "final")])
            of_unit[-1].criteria = _criteria(the_plan, unit_id, target, facts, of_unit)
    result = Verdict(
        schema=SCHEMA,
        headline="",
        run=run.name,
        trace_id=environ.get("FLOE_TRACE_ID", ""),
        commit=commit_of(root),
        target=target,
        catalog=_catalog(root, records),
        started_at=datetime.fromtimestamp(started / 1e9, tz=UTC).isoformat(timespec="seconds"),
        wall_s=round((time.time_ns() - started) / 1e9, 2),
        critical_path_s=round(_critical_path(units), 2),
        units=list(units.values()),
        totals=_totals(run, records, units),
        advisories=_advisories(root) if "security" in units else {},
    )
    result.headline = _headline(result)
    return result


def _criteria(
    the_plan: plan.Plan, unit: str, target: str, facts: Facts, units: list[UnitResult]
) -> list[CriterionResult]:
    """The criteria of one unit, each held against what its sessions saw."""
    return [
        _criterion(criterion, the_plan.reach(criterion, target), facts, units, target)
        for criterion in the_plan.criteria.values()
        if criterion.unit == unit
    ]


def _unit(session: plan.Session, run: Path, started: int, before: dict[str, UnitResult]) -> UnitResult:
    state = _json(run / f"{session.slug}.session.json")
    result = UnitResult(session.unit, session.name, session.phase, session.requires, "blocked", 0.0, 0.0, "")
    if not state:
        broken = [name for name in session.requires if name in before and before[name].status in BAD]
        result.reason = f"{', '.join(broken)} failed" if broken else "the run ended before it could start"
        return result
    result.status = "failed" if state["status"] == "running" else state["status"]
    result.started_s = round((state["started"] - started) / 1e9, 2)
    result.wall_s = round((state.get("ended", time.time_ns()) - state["started"]) / 1e9, 2)
    result.reason = state.get("reason") or state.get("because") or ""
    if result.status == "failed":
        failure = _json(run / f"{session.slug}.failure.json")
        if failure:
            parts = (failure["what"], failure["where"], failure["why"])
            result.reason = " · ".join(part for part in parts if part)
    return result


Facts = dict[str, list[tuple[dict[str, str], bool]]]  # by criterion: the fact, and whether it was seen in this run


def _facts(run: Path, records: dict[str, Any], units: list[UnitResult]) -> Facts:
    found: Facts = {}
    for unit in units:
        fresh = unit.status != "up_to_date"
        kept = records.get(unit.session, {}).get("evidence", [])
        for fact in ledger.evidence_of(run, plan.slug(unit.session)) if fresh else kept:
            found.setdefault(fact["criterion"], []).append((fact, fresh))
    return found


def _criterion(
    criterion: plan.Criterion, reach: plan.Reach, facts: Facts, units: list[UnitResult], target: str
) -> CriterionResult:
    result = CriterionResult(criterion.id, criterion.title, criterion.tasks, "planned", "")
    if reach == "planned":
        result.evidence = f"due with issue {criterion.due}"
    elif reach == "elsewhere":
        result.status = "not_run"
        result.evidence = f"not run here, because it can only be shown on: {', '.join(criterion.targets)}"
    elif criterion.id in facts:
        result.status, result.evidence = _weigh(facts[criterion.id])
    else:
        worst = next((unit for unit in units if unit.status in BAD), None)
        result.status = worst.status if worst else "failed"
        result.evidence = f"{worst.session} {worst.status}" if worst else f"nothing on target {target} showed it"
    return result


def _weigh(facts: list[tuple[dict[str, str], bool]]) -> tuple[str, str]:
    """One status for several facts: the worst counts, and what was seen in this run before what was kept."""
    for status in ("failed", "not_run", "passed_stale"):
        said = [fact["evidence"] for fact, _ in facts if fact["status"] == status]
        if said:
            return status, "; ".join(dict.fromkeys(said))
    fresh = [fact["evidence"] for fact, is_fresh in facts if is_fresh]
    said = list(dict.fromkeys(fresh or [fact["evidence"] for fact, _ in facts]))
    more = f" (and {len(said) - 3} more)" if len(said) > 3 else ""  # noqa: PLR2004 - three sentences fit a cell
    return ("passed" if fresh else "up_to_date"), "; ".join(said[:3]) + more


def _critical_path(units: dict[str, UnitResult]) -> float:
    """The longest chain of requirements, in seconds: no amount of side by side can beat it."""
    longest: dict[str, float] = {}
    for name, unit in units.items():
        longest[name] = unit.wall_s + max((longest.get(before, 0.0) for before in unit.requires), default=0.0)
    return max(longest.values(), default=0.0)


def _totals(run: Path, records: dict[str, Any], units: dict[str, UnitResult]) -> dict[str, int]:
    """Test totals over all sessions: every e2e test runs once a run, in the session of its work unit."""
    totals = dict.fromkeys(TOTALS, 0)
    for name, unit in units.items():
        fresh = unit.status != "up_to_date"
        kept = records.get(name, {}).get("totals", {})
        for key, count in (ledger.totals_of(run, plan.slug(name)) if fresh else kept).items():
            totals[key] += count
    criteria = [criterion for unit in units.values() for criterion in unit.criteria]
    return totals | {"not_run": sum(criterion.status == "not_run" for criterion in criteria)}


def _headline(verdict: Verdict) -> str:
    criteria = [criterion for unit in verdict.units for criterion in unit.criteria]
    statuses = {unit.status for unit in verdict.units} | {criterion.status for criterion in criteria}
    if statuses & BAD:
        return "FAILED"
    due = [c for c in criteria if c.status == "not_run" and verdict.target in plan.load().criteria[c.id].targets]
    if due:
        return f"INCOMPLETE: {due[0].id} not run, {due[0].evidence}"
    if "passed_stale" in statuses:
        source = verdict.advisories
        return f"PASSED on old advisories ({source.get('source', '?')}, {source.get('date', '?')})"
    return "PASSED"


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content


def commit_of(root: Path) -> str:
    """The commit of the checkout, with `-dirty` where it has changes; empty outside of git."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--match="]
    with contextlib.suppress(OSError):
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.strip()
    return ""


def _catalog(root: Path, records: dict[str, Any]) -> str:
    """Which server spoke Polaris's protocol: as the platform that is up says, else as the last proof saw it."""
    said = ledger.catalog_kind(root) or records.get("helm_bootstrap", {}).get("catalog")
    return str(said or "none was needed")


def _advisories(root: Path) -> dict[str, str]:
    said = _json(root / ".floe" / "run" / "advisories.json")
    return {key: str(said[key]) for key in ("source", "date", "outcome", "go") if said.get(key)}


def requested(environ: Mapping[str, str]) -> set[str]:
    """The sessions of the plan that were asked for (the noxfile says which), with all that they require."""
    the_plan = plan.load()
    names = {name for name in environ.get("FLOE_RUN_ASKED", "").split(",") if name}
    return names.union(*(the_plan.prerequisites(name) for name in names))


def close() -> int:
    """End a run: the root span, verdict.json where `final` was asked for, and the report for people."""
    root, run = project.root(), project.run_dir()
    if run is None:
        return 2
    wanted = requested(os.environ)
    if not wanted:
        return 0
    verdict = assemble(root, run, wanted, dict(os.environ))
    otlp_json.spool_run(root, run, dict(os.environ), verdict.headline)
    write(run / "verdict.json", verdict)
    complete.keep(root, verdict)
    if "final" in wanted:
        report = root / ".floe" / "report"
        report.mkdir(exist_ok=True)
        write(report / "verdict.json", verdict)
        junit.join(run, report / "junit.xml")
    _prune(run)
    python = root / ".venv" / "bin" / "python"
    if python.exists():
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        shown = subprocess.run([str(python), "-m", "floe_ops.report", str(run)], cwd=root, env=env, check=False)  # noqa: S603
        if shown.returncode == 0:
            return 0
    print(plain(verdict))
    return 0


def _prune(run: Path) -> None:
    """Delete the folders of old runs whose process is gone; never this one's."""
    runs = sorted(path for path in run.parent.iterdir() if re.fullmatch(r"\d{8}T\d{6}-\d+", path.name))
    for old in runs[:-KEPT_RUNS]:
        if old != run and not _alive(int(old.name.rpartition("-")[2])):
            shutil.rmtree(old, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write(path: Path, verdict: Verdict) -> None:
    """Write verdict.json whole or not at all."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(json.dumps(asdict(verdict), indent=2) + "\n", encoding="utf-8")
    half.replace(path)


def plain(verdict: Verdict) -> str:
    """The verdict as plain lines, for a machine on which the environment could not be made."""
    lines = [f"{unit.status:>12}  {unit.session:<18} {unit.wall_s:7.1f} s  {unit.reason}" for unit in verdict.units]
    return "\n".join([*lines, verdict.headline])


if __name__ == "__main__":
    sys.exit(close())

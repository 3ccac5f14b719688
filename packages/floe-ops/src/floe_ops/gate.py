"""The acceptance gate: `final` ends well only when every criterion that is due on this target was shown."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, UsageError, WrongStateError

from floe_ops import complete, console, evidence, plan, targets, tracing, verdict, whole_trace
from floe_ops.clients.jaeger import Jaeger

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 10.0


def hold(root: Path, run: Path | None) -> None:
    """Hold the run so far against the plan.

    Raises:
        UsageError: This is no Nox run.
        WrongStateError: A due criterion failed, or nothing showed it; each is named with its reason.
    """
    if run is None:
        raise UsageError("there is no run to judge", remedy="call ./noxw -s final")
    trace_is_whole(run)
    everything = set(plan.load().sessions)
    _suite_is_clean(verdict.assemble(root, run, everything, dict(os.environ)).totals)
    result = verdict.assemble(root, run, everything, dict(os.environ))
    criteria = [criterion for unit in result.units for criterion in unit.criteria]
    bad = [criterion for criterion in criteria if criterion.status in verdict.BAD]
    if bad:
        raise WrongStateError(
            f"{len(bad)} of {len(criteria)} criteria were not shown",
            where="plan.toml",
            why="\n         ".join(f"{criterion.id}: {criterion.evidence}" for criterion in bad),
            remedy="prove them, or say in plan.toml which issue delivers them",
        )
    shown = sum(criterion.status in {"passed", "passed_stale", "up_to_date"} for criterion in criteria)
    console.say(f"✓ {shown} criteria shown, {len(criteria) - shown} planned or not for target {result.target}")


def _suite_is_clean(totals: dict[str, int]) -> None:
    """Over all sessions tests passed and none failed, errored, was skipped or passed unexpectedly (WU8-AC5)."""
    said = ", ".join(f"{totals[name]} {name}" for name in verdict.TOTALS)
    unwanted = sum(totals[name] for name in ("failed", "errors", "skipped", "xpassed"))
    evidence.record("WU8-AC5", "passed" if totals["passed"] and not unwanted else "failed", said)


def trace_is_whole(run: Path) -> None:
    """Where this run built a product in the Iceberg lane, see its chain from session to commit in Jaeger (WU4-AC5).

    Raises:
        NotReadyError: The chain was not whole in time; holds what is missing.
    """
    published = run / "dbt_demo-iceberg.session.json"
    platform = targets.current().find()
    if platform is None or json.loads(published.read_text(encoding="utf-8"))["status"] != "passed":
        return
    tracing.flush_spool(platform.urls["otlp-http"])
    jaeger = Jaeger(platform.urls["jaeger-query"])
    trace_id = os.environ["FLOE_TRACE_ID"]
    trace = jaeger.wait_for_trace(
        trace_id,
        lambda seen: not whole_trace.gaps(seen),
        deadline_s=PATIENCE_S,
        wanted="session → task → compile → dbt nodes → Iceberg commit in the run's trace",
    )
    evidence.record(
        "WU4-AC5",
        "passed",
        f"trace {trace_id}: session, task, compile stages, dbt nodes and Iceberg commit in one tree, "
        f"{len(trace.spans)} spans so far",
    )


def show(root: Path, *, as_json: bool) -> None:
    """Print the verdict of the last `final`.

    Raises:
        MissingToolError: There is none yet.
    """
    path = root / ".floe" / "report" / "verdict.json"
    if not path.exists():
        raise MissingToolError("there is no verdict yet", where=str(path), remedy="call ./noxw -s final")
    text = path.read_text(encoding="utf-8")
    if as_json:
        sys.stdout.write(text)
        return
    from floe_ops.report import terminal

    terminal.show(json.loads(text), page=".floe/report/index.html")


def require_complete(root: Path) -> tuple[complete.Joined, ...]:
    """Every criterion of the plan, each shown on this commit by a run on the local or the cluster target.

    Raises:
        WrongStateError: Files differ from the commit, or a criterion failed, is planned or was shown nowhere.
    """
    commit = verdict.commit_of(root)
    if commit.endswith("-dirty") or not commit:
        raise WrongStateError(
            "what was shown belongs to no commit",
            where=commit or str(root),
            why="files differ from the commit, or this is no git checkout",
            remedy="commit, and prove that commit on both targets",
        )
    rows = complete.join(root, commit)
    missing = [row for row in rows if row.status != "shown"]
    if missing:
        raise WrongStateError(
            f"{len(missing)} of {len(rows)} criteria are not shown on this commit",
            where=commit,
            why="\n         ".join(f"{row.id} {row.status}: {row.evidence}" for row in missing),
            remedy="run what each line names, then ask again",
        )
    return rows

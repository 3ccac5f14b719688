"""Every criterion on one commit: what the runs on each target showed, kept and joined.

A machine without Kubernetes cannot show what only a cluster can, and a cluster need not repeat what a desk has shown.
Each run keeps what it saw of the criteria in `.floe/report/targets/<target>.json`; runs of one commit add up, another
commit starts anew. `keep` runs before there is an environment: standard library only.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from floe_ops import plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from floe_ops.verdict import Verdict

TARGETS: Final = ("local", "cluster")
SHOWN: Final = frozenset({"passed", "passed_stale", "up_to_date"})
BAD: Final = frozenset({"failed", "blocked"})
REMEDY: Final = {"local": "./noxw -s final", "cluster": "./noxw -s final -- --target cluster"}


@dataclass(frozen=True)
class Joined:
    """One criterion over all targets.

    Attributes:
        id: Its name in the plan.
        title: What it says.
        status: `shown`, `failed`, `planned` or `not_run`.
        targets: Where it was shown, or where it failed.
        evidence: What was seen there, or what to do.
    """

    id: str
    title: str
    status: str
    targets: tuple[str, ...]
    evidence: str


def keep(root: Path, verdict: Verdict) -> None:
    """Add what a run saw of the criteria to what its target has shown of this commit; whole or not at all."""
    path = _path(root, verdict.target)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _read(path)
    criteria = known["criteria"] if known.get("commit") == verdict.commit else {}
    criteria |= {
        one.id: {"status": one.status, "evidence": one.evidence, "run": verdict.run}
        for unit in verdict.units
        for one in unit.criteria
        if one.status in SHOWN | BAD
    }
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(json.dumps({"commit": verdict.commit, "criteria": criteria}, indent=2) + "\n", encoding="utf-8")
    half.replace(path)


def join(root: Path, commit: str) -> tuple[Joined, ...]:
    """Every criterion of the plan, over what each target has shown of `commit`.

    Args:
        root: The project's root.
        commit: The commit as `git describe` says it; one that ends in `-dirty` has shown nothing for good.
    """
    known = {target: _read(_path(root, target)) for target in TARGETS}
    facts = {target: kept["criteria"] for target, kept in known.items() if kept.get("commit") == commit}
    the_plan = plan.load()
    return tuple(_joined(criterion, the_plan, facts) for criterion in the_plan.criteria.values())


def _joined(criterion: plan.Criterion, the_plan: plan.Plan, facts: Mapping[str, Any]) -> Joined:
    seen = {target: kept[criterion.id] for target, kept in facts.items() if criterion.id in kept}
    for status, wanted in (("failed", BAD), ("shown", SHOWN)):
        where = tuple(target for target, fact in seen.items() if fact["status"] in wanted)
        if where:
            return Joined(criterion.id, criterion.title, status, where, str(seen[where[0]]["evidence"]))
    if criterion.due not in the_plan.delivered:
        return Joined(criterion.id, criterion.title, "planned", (), f"due with issue {criterion.due}")
    ways = " or ".join(REMEDY[target] for target in criterion.targets)
    return Joined(criterion.id, criterion.title, "not_run", (), f"no run of this commit showed it: {ways}")


def _path(root: Path, target: str) -> Path:
    return root / ".floe" / "report" / "targets" / f"{target}.json"


def _read(path: Path) -> dict[str, Any]:
    """What a target has shown; nothing where the file is missing or of another shape."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) and isinstance(known.get("criteria"), dict) else {}

"""The plan, read from `plan.toml`: work units, sessions, phases, tasks, criteria. Standard library only."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Reach = Literal["due", "planned", "elsewhere"]


@dataclass(frozen=True)
class Session:
    """One Nox session of the plan.

    Attributes:
        platform: The targets on which it is proved on the platform's services.
        inputs: Patterns of the files that its proof depends on.
    """

    name: str
    unit: str
    phase: int
    requires: tuple[str, ...]
    platform: tuple[str, ...]
    inputs: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The name as it appears in file names."""
        return slug(self.name)


@dataclass(frozen=True)
class Criterion:
    """One criterion: the tasks it belongs to, where it can be shown, and the issue that delivers it."""

    id: str
    title: str
    tasks: tuple[str, ...]
    targets: tuple[str, ...]
    due: str

    @property
    def unit(self) -> str:
        """The work unit, for example `WU1`."""
        return self.id.split("-", 1)[0]


@dataclass(frozen=True)
class Plan:
    """The whole plan; sessions are in an order that respects their requirements."""

    delivered: frozenset[str]
    units: dict[str, str]
    sessions: dict[str, Session]
    tasks: dict[str, str]
    criteria: dict[str, Criterion]

    def reach(self, criterion: Criterion, target: str) -> Reach:
        """Whether a criterion must be shown on `target`, is not due yet, or can only be shown elsewhere."""
        if criterion.due not in self.delivered:
            return "planned"
        return "due" if target in criterion.targets else "elsewhere"

    def prerequisites(self, session: str) -> frozenset[str]:
        """Every session that must pass before `session`, directly or not."""
        direct = self.sessions[session].requires
        return frozenset(direct).union(*(self.prerequisites(name) for name in direct))


def slug(session: str) -> str:
    """A session's name as it appears in file names: `dbt_demo(duckdb)` becomes `dbt_demo-duckdb`."""
    return session.replace("(", "-").replace(")", "")


@cache
def load() -> Plan:
    """Read the plan that lies beside this module."""
    raw = tomllib.loads(Path(__file__).with_name("plan.toml").read_text(encoding="utf-8"))
    unit_of = {name: unit for unit, entry in raw["units"].items() for name in entry["sessions"]}
    return Plan(
        delivered=frozenset(raw["delivered"]),
        units={unit: entry["title"] for unit, entry in raw["units"].items()},
        sessions={
            name: Session(
                name=name,
                unit=unit_of[name],
                phase=entry["phase"],
                requires=tuple(entry["requires"]),
                platform=tuple(entry["platform"]),
                inputs=tuple(pattern for group in entry["inputs"] for pattern in raw["inputs"][group]),
            )
            for name, entry in raw["sessions"].items()
        },
        tasks=dict(raw["tasks"]),
        criteria={
            key: Criterion(
                id=key,
                title=entry["title"],
                tasks=tuple(entry["tasks"]),
                targets=tuple(entry["targets"]),
                due=entry["due"],
            )
            for key, entry in raw["criteria"].items()
        },
    )

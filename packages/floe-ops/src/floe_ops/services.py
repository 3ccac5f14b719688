"""The services of the platform, read from `services.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCAL, CLUSTER = "local", "cluster"
"""The targets, by name."""


@dataclass(frozen=True)
class Service:
    """One component: its name, pod label, targets, default ports by endpoint name, and where it answers health.

    The path of health may be another one on a target where another program serves. On the targets in `on_demand` it
    is started only for those who ask for it.
    """

    name: str
    title: str
    component: str
    targets: frozenset[str]
    on_demand: frozenset[str]
    ports: dict[str, int]
    health_port: str
    health_path: str


@cache
def services(target: str = "") -> dict[str, Service]:
    """The services of a target by name, in the order in which they may start; of all targets where none is named."""
    raw = tomllib.loads(Path(__file__).with_name("services.toml").read_text(encoding="utf-8"))
    found = {
        name: Service(
            name=name,
            title=entry["title"],
            component=entry["component"],
            targets=frozenset(entry["targets"]),
            on_demand=frozenset(entry.get("on_demand", ())),
            ports=dict(entry["ports"]),
            health_port=entry["health"]["port"],
            health_path=entry["health"].get(target, entry["health"]["path"]),
        )
        for name, entry in raw.items()
    }
    return {name: service for name, service in found.items() if not target or target in service.targets}


def started(target: str) -> dict[str, Service]:
    """The services of a target that it starts for everybody, by name."""
    return {name: service for name, service in services(target).items() if target not in service.on_demand}


def on_demand(target: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that the target starts only when they are asked for.

    Raises:
        UsageError: It has no such service.
    """
    known = services(target)
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no service named {name!r} on the target {target}",
                why=f"the services are: {', '.join(known)}",
                remedy="name one of them",
            )
    return [name for name in names if target in known[name].on_demand]

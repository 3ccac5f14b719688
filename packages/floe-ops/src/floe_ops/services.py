"""The services of the platform, read from `services.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOCAL, CLUSTER = "local", "cluster"
"""The targets, by name."""


@dataclass(frozen=True)
class Service:
    """One component: its name, pod label, targets, default ports by endpoint name, and where it answers health.

    The path of health may be another one on a target where another program serves.
    """

    name: str
    title: str
    component: str
    targets: frozenset[str]
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
            ports=dict(entry["ports"]),
            health_port=entry["health"]["port"],
            health_path=entry["health"].get(target, entry["health"]["path"]),
        )
        for name, entry in raw.items()
    }
    return {name: service for name, service in found.items() if not target or target in service.targets}

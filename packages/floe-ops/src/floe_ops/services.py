"""The services of the platform, read from `services.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Service:
    """One component: its name, pod label, default ports by endpoint name, and where it answers health."""

    name: str
    title: str
    component: str
    ports: dict[str, int]
    health_port: str
    health_path: str


@cache
def services() -> dict[str, Service]:
    """All services by name, in the order in which they may start."""
    raw = tomllib.loads(Path(__file__).with_name("services.toml").read_text(encoding="utf-8"))
    return {
        name: Service(
            name=name,
            title=entry["title"],
            component=entry["component"],
            ports=dict(entry["ports"]),
            health_port=entry["health"]["port"],
            health_path=entry["health"]["path"],
        )
        for name, entry in raw.items()
    }

"""What a target says of itself: how its services are, and what this machine has and lacks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "missing"]
SIGNS: dict[State, str] = {"ok": "✓", "note": "•", "missing": "✗"}


@dataclass(frozen=True)
class ServiceStatus:
    """One service as people and programs see it.

    Attributes:
        name: As in `services.toml`.
        state: `ready`, `starting`, `failed`, `down`, `remote`, or `off` where nobody asked for it.
        pid: Its process id; 0 when it does not run as a process here.
        url: Where its health is asked; empty when it is down.
        uptime_s: Whole seconds since its last start; 0 when it does not run.
        restarts: How often it was started again since the platform came up.
        detail: What is wrong, in one line.
    """

    name: str
    state: str
    pid: int
    url: str
    uptime_s: int
    restarts: int
    detail: str


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: Its name.
        state: `ok`; `note` where it is worth knowing and in nobody's way; `missing` where the platform needs it.
        seen: What was found, in one line.
        remedy: How to get what is missing; empty where nothing needs doing.
    """

    what: str
    state: State
    seen: str
    remedy: str = ""

"""Read the services' logs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops.services import LOCAL, services, started
from floe_ops.targets.local.dagster import SERVICE
from floe_ops.targets.local.programs import LEASE
from floe_ops.targets.local.waiting import last_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.targets.local.layout import Layout

LOOK_EVERY_S = 0.2


def files(layout: Layout, service: str = "") -> dict[str, Path]:
    """The log by service, or the one of `service` alone.

    Raises:
        UsageError: There is no such service.
    """
    parts = sorted(path.stem for path in layout.logs.glob(f"{SERVICE}-*.log"))
    asked_for = [name for name in services(LOCAL) if name in started(LOCAL) or (layout.logs / f"{name}.log").exists()]
    names = [*asked_for, *parts, LEASE, "supervisord"]
    if service and service not in names:
        raise UsageError(
            f"there is no service named {service!r}",
            where="--service",
            why=f"the services are: {', '.join(names)}",
            remedy="give one of them, or none for all",
        )
    return {name: layout.logs / f"{name}.log" for name in ([service] if service else names)}


def last(logs: dict[str, Path], count: int) -> Iterator[str]:
    """The last `count` lines of each log, with the service's name before each line where there are several."""
    for name, path in logs.items():
        yield from (_named(name, line, logs) for line in last_lines(path, count))


def follow(logs: dict[str, Path]) -> Iterator[str]:
    """Lines that come from now on, without end; a log that is rotated or written anew is read from its beginning."""
    places = {name: path.stat().st_size if path.exists() else 0 for name, path in logs.items()}
    rest = dict.fromkeys(logs, b"")
    pause = threading.Event()
    while True:
        for name, path in logs.items():
            chunk, places[name] = _since(path, places[name])
            *whole, rest[name] = (rest[name] + chunk).split(b"\n")
            yield from (_named(name, line.decode("utf-8", "replace"), logs) for line in whole)
        pause.wait(LOOK_EVERY_S)


def _since(path: Path, place: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(place if place <= size else 0)
            chunk = file.read()
            return chunk, file.tell()
    except FileNotFoundError:
        return b"", 0


def _named(name: str, line: str, logs: dict[str, Path]) -> str:
    return f"{name:<12}| {line}" if len(logs) > 1 else line

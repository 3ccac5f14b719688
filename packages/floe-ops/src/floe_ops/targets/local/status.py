"""What the local platform is doing, service by service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from floe_ops.services import LOCAL, services, started
from floe_ops.targets.local import record, waiting
from floe_ops.targets.local.probes import BrokenError
from floe_ops.targets.local.programs import LEASE
from floe_ops.targets.local.supervisor import Supervisor
from floe_ops.targets.seen import ServiceStatus

if TYPE_CHECKING:
    from floe_ops.targets.interface import Platform
    from floe_ops.targets.local.layout import Layout
    from floe_ops.targets.local.probes import NotYetError
    from floe_ops.targets.local.supervisor import Process


def look(layout: Layout, platform: Platform | None) -> list[ServiceStatus]:
    """The state of every service of this target and of its parts, and of the lease's watcher, while it runs.

    One that is started on demand, and that nobody has asked for, is `off`.
    """
    processes = Supervisor(layout).processes()
    if platform is None or processes is None:
        down = {name: "down" if name in started(LOCAL) else "off" for name in services(LOCAL)}
        return [ServiceStatus(name, state, 0, "", 0, 0, "") for name, state in down.items()]
    found = record.load(layout.record)
    names = [*started(LOCAL), *(found.demanded if found else ())]
    wrong = waiting.ready(platform, names, layout)
    rows = [_row(layout, platform, name, processes.get(name), wrong.get(name)) for name in names]
    rows += [ServiceStatus(name, "off", 0, "", 0, 0, "") for name in services(LOCAL) if name not in names]
    watcher = processes.get(LEASE)
    if watcher:
        rows.append(_row(layout, platform, LEASE, watcher, None))
    return rows


def _row(
    layout: Layout, platform: Platform, name: str, process: Process | None, wrong: NotYetError | None
) -> ServiceStatus:
    service = services().get(name)
    url = platform.urls[service.health_port] + service.health_path if service else ""
    told = str(wrong or "")
    if process is None:
        return ServiceStatus(name, "failed" if wrong else "remote", 0, url, 0, 0, told)
    state = "starting" if wrong or not process.pid else "ready"
    if process.state in waiting.GIVEN_UP or isinstance(wrong, BrokenError):
        state = "failed"
    age = max(0, int(time.time() - process.started)) if process.pid else 0
    return ServiceStatus(name, state, process.pid, url, age, _restarts(layout, name), told or process.detail)


def _restarts(layout: Layout, name: str) -> int:
    try:
        lines = (layout.starts / name).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    return max(0, len(lines) - 1)

"""Start, find and end the keeper of the forwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, NotReadyError

from floe_ops.clients.kubernetes import Kubernetes
from floe_ops.targets import lease
from floe_ops.targets.cluster import record
from floe_ops.targets.cluster.identity import identity
from floe_ops.targets.local import ports
from floe_ops.targets.local.layout import write_private
from floe_ops.targets.local.waiting import last_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_ops.targets.cluster.layout import Layout

START_S, END_S = 60.0, 5.0  # a busy machine takes long to import the library
POLL_S = 0.05
SHOWN_LINES = 6
CLOCK_STEP_S = lease.CLOCK_STEP_S
LARGEST_PID = 2**31


@dataclass(frozen=True)
class Forwards:
    """The forwards that are kept.

    Attributes:
        pid: Of the keeper.
        started: When it started, seconds since the epoch: a process id is given out again.
        ports: Local port by endpoint name.
        leads_to: The release and the cluster that they lead to, as `identity` names them.
    """

    pid: int
    started: float
    ports: dict[str, int]
    leads_to: dict[str, str] = field(default_factory=dict)

    @property
    def lives(self) -> bool:
        """Whether the keeper is still there."""
        started = lease.started(self.pid)
        return started is not None and abs(started - self.started) <= CLOCK_STEP_S

    @property
    def urls(self) -> dict[str, str]:
        """URL by endpoint name."""
        return {name: f"http://{ports.HOST}:{port}" for name, port in self.ports.items()}

    def save(self, layout: Layout) -> None:
        """Write it, whole or not at all."""
        write_private(layout.forwards, json.dumps(asdict(self)))


def find(layout: Layout) -> Forwards | None:
    """The forwards to the release on record that are kept now, or None; those to another one are none."""
    kept, found = _kept(layout), record.load(layout)
    if kept is None or found is None:
        return None
    try:
        meant = identity(found, Kubernetes(found.access))
    except (FloeError, OSError):  # a cluster of ours takes its kubeconfig along when it stops
        return None
    return kept if kept.leads_to == meant else None


def ensure(layout: Layout, names: Iterable[str]) -> Forwards:
    """Have a forward for each endpoint of the release on record; on the ports of the last time where those are free.

    Raises:
        NotReadyError: The keeper did not come up; holds its last words.
    """
    wanted = list(names)
    kept = find(layout)
    if kept is not None and set(kept.ports) == set(wanted):
        return kept
    end(layout)
    before = _last(layout)
    given = ports.assign(dict.fromkeys(wanted), before.ports if before else {})
    command = [sys.executable, "-m", "floe_ops.targets.cluster.keeper", str(layout.state), json.dumps(given)]
    layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with layout.keeper_log.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    return _until_kept(layout, child)


def end(layout: Layout) -> None:
    """End the keeper, whatever it leads to, and wait until it is gone; no error when there is none."""
    kept = _kept(layout)
    if kept is None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(kept.pid, sign)
        deadline = time.monotonic() + END_S
        while kept.lives and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if not kept.lives:
            _reap(kept.pid)
            return


def _until_kept(layout: Layout, child: subprocess.Popen[bytes]) -> Forwards:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and child.poll() is None:
        kept = _kept(layout)
        if kept is not None and kept.pid == child.pid:
            child.returncode = 0  # it goes on without us: Popen must neither wait for it nor warn
            return kept
        time.sleep(POLL_S)
    child.kill()
    child.wait()
    said = "\n         ".join(last_lines(layout.keeper_log, SHOWN_LINES))
    raise NotReadyError(
        "the forwards to the cluster did not come up",
        where=str(layout.keeper_log),
        why=said or f"the keeper said nothing in {START_S:g} s",
        remedy="see `invoke platform.status --target cluster`",
    )


def _kept(layout: Layout) -> Forwards | None:
    """The forwards whose keeper lives, whatever they lead to."""
    found = _last(layout)
    return found if found is not None and found.lives else None


def _last(layout: Layout) -> Forwards | None:
    try:
        said = json.loads(layout.forwards.read_text(encoding="utf-8"))
        given = {str(name): int(port) for name, port in said["ports"].items()}
        leads_to = {str(name): str(value) for name, value in said.get("leads_to", {}).items()}
        found = Forwards(int(said["pid"]), float(said["started"]), given, leads_to)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return None
    return found if 0 < found.pid < LARGEST_PID else None


def _reap(pid: int) -> None:
    """A keeper that this very process started stays a zombie until it is waited for."""
    with suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)

"""The first process in a cluster's namespaces: `python -m bare_cluster.node STATE`, started by the guardian.

Prepares what the daemons see of the machine, starts them in their order, and reaps. It starts none again: that one
ended is noted, so that it is seen and not papered over. Its own end is the end of every process and mount in here.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess  # nosec B404 - starting the daemons is what this module is for
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from floe_ops.kube_api.certificates import HOST

from bare_cluster import cgroups, kernel, plan, processes
from bare_cluster.daemons import HERE, KEYS
from bare_cluster.layout import INSIDE
from bare_cluster.network import API_PORT, INSIDE_LINK
from bare_cluster.processes import Daemon, Daemons

if TYPE_CHECKING:
    from collections.abc import Callable

    from bare_cluster.processes import Stage

LOOK_S = 0.05
LINK_S = 30  # after that, nobody will make it
API_S = 180
ANSWER_S = 2
HIDDEN = ("/var/log", "/var/lib/kubelet", "/var/lib/cni")  # what daemons write to whatever they are told
SHOWN = {  # what the kubelet would set for the whole machine: it is shown files that say so already
    "vm/overcommit_memory": "1",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
}
SET = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}  # these belong to the new namespace
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/run",
    "TMPDIR": "/run/tmp",
    "LANG": "C.UTF-8",
}


def main(state: Path) -> None:
    """Be the node; never returns."""
    see_own(state)
    todo = plan.read(HERE.plan)
    socket.sethostname(todo.host_name)
    node = Node()
    node.wait("link", lambda: INSIDE_LINK in (name for _, name in socket.if_nameindex()), LINK_S)
    for command in todo.commands:
        subprocess.run(command, check=True, env=ENVIRONMENT)  # noqa: S603  # nosec B603 - from our own plan, no shell
    for name, command in todo.first.items():
        node.start(name, command)
    node.wait("api", api_is_ready, API_S)
    for name, command in todo.second.items():
        node.start(name, command)
    node.reap_for_ever()


class Node:
    """The daemons started so far."""

    def __init__(self) -> None:
        self._stage: Stage = "link"
        self._daemons: dict[int, Daemon] = {}
        self._kept: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: list[str]) -> None:
        """Start one, its output in its log."""
        with (HERE.logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # nosec B603 - from our own plan, no shell
                command,
                cwd="/",
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._kept.append(process)  # reaped below with all others, never by this object
        self._daemons[process.pid] = Daemon(name, process.pid)
        self._note()

    def wait(self, stage: Stage, ready: Callable[[], bool], deadline_s: float) -> None:
        """Look until `ready`; ends this process, and so the cluster, when it takes longer."""
        self._stage = stage
        self._note()
        end = time.monotonic() + deadline_s
        while not ready():
            self._reap(os.WNOHANG)
            if time.monotonic() > end:
                raise SystemExit(f"waited {deadline_s} s for: {stage}")
            time.sleep(LOOK_S)

    def reap_for_ever(self) -> None:
        """Take note of every end, of daemons and of what containers leave behind."""
        self._stage = "started"
        self._note()
        while True:
            self._reap(0)

    def _reap(self, how: int) -> None:
        """Take what has ended; with no `how` wait for one."""
        while True:
            try:
                pid, status = os.waitpid(-1, how)
            except ChildProcessError:  # everything ended, which is told: stay for who asks
                if how == 0:
                    time.sleep(1)
                return
            if pid == 0:
                return
            if pid in self._daemons:
                code = os.waitstatus_to_exitcode(status)
                self._daemons[pid] = Daemon(self._daemons[pid].name, pid, code)
                self._note()

    def _note(self) -> None:
        processes.note_daemons(HERE.daemons, Daemons(self._stage, tuple(self._daemons.values())))


def see_own(state: Path) -> None:
    """Replace, for this namespace alone, what of the machine the daemons must not see or touch."""
    kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.SHARED)  # among pods: they may share mounts
    kernel.mount("proc", "/proc", "proc")
    groups = cgroups.hierarchies()
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY)
    kernel.mount("tmpfs", "/run", "tmpfs", options="mode=755")
    for made in ("lock", "tmp", "shown", "over/work", "over/files", INSIDE.name):
        Path("/run", made).mkdir(parents=True)
    kernel.mount(f"/proc/1/fd/{folder}", str(INSIDE), flags=kernel.BIND | kernel.RECURSIVE)
    os.close(folder)
    over = "lowerdir=/var/lib,upperdir=/run/over/files,workdir=/run/over/work"
    kernel.mount("overlay", "/var/lib", "overlay", options=over)
    for hidden in HIDDEN:
        Path(hidden).mkdir(exist_ok=True)
        kernel.mount("tmpfs", hidden, "tmpfs", options="mode=755")
    _see_own_groups(groups)
    for name, value in SHOWN.items():
        shown = Path("/run/shown", name.replace("/", "."))
        shown.write_text(f"{value}\n", encoding="ascii")
        kernel.mount(str(shown), f"/proc/sys/{name}", flags=kernel.BIND)
    for name, value in SET.items():
        path = Path("/proc/sys", name)
        if path.exists():
            path.write_text(value, encoding="ascii")


def _see_own_groups(found: list[cgroups.Hierarchy]) -> None:
    """Mount the control groups anew, so that the cluster's own is the root that is seen."""
    for each in found:
        if not each.unified:
            kernel.unmount(str(each.mount))
            kernel.mount("cgroup", str(each.mount), "cgroup", options=each.options)
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            kernel.unmount(before.split(" ")[4])  # beside version 1 it only confuses who looks for it
    if found[0].unified:
        kernel.mount("cgroup2", str(found[0].mount), "cgroup2")
        cgroups.settle(found[0].mount)


def api_is_ready() -> bool:
    """Ask the API server once."""
    context = ssl.create_default_context(cafile=str(KEYS.api.ca))
    context.load_cert_chain(KEYS.api.admin.certificate, KEYS.api.admin.key)
    connection = http.client.HTTPSConnection(HOST, API_PORT, context=context, timeout=ANSWER_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

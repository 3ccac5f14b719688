"""Where a cluster keeps its files, seen from the machine and from inside of its namespaces.

Inside, the state folder is always at `INSIDE`, so that no path of a user's (long, or with a space) reaches the daemons:
a Unix socket's path ends at 108 bytes, and overlayfs cannot take a colon.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_ops import project

if TYPE_CHECKING:
    import os

INSIDE = Path("/run/bare-cluster")


@dataclass(frozen=True)
class Layout:
    """The files of one cluster below its state folder."""

    state: Path

    @property
    def pki(self) -> Path:
        """Keys and certificates; outlive `down`, as the objects do that were made with them."""
        return self.state / "pki"

    @property
    def configs(self) -> Path:
        """What the daemons are configured with."""
        return self.state / "etc"

    @property
    def cni(self) -> Path:
        """The network configuration that containerd reads; nothing else lies there."""
        return self.configs / "cni"

    @property
    def logs(self) -> Path:
        """One log a daemon, and those of the guardian and of the first process."""
        return self.state / "log"

    @property
    def run(self) -> Path:
        """What belongs to one start."""
        return self.state / "run"

    @property
    def etcd(self) -> Path:
        """The cluster's objects; outlive `down`."""
        return self.state / "etcd"

    @property
    def containerd(self) -> Path:
        """Images and containers; outlive `down`."""
        return self.state / "containerd"

    @property
    def kubelet(self) -> Path:
        """Volumes of pods that are no claims."""
        return self.state / "kubelet"

    @property
    def pod_logs(self) -> Path:
        """What containers print."""
        return self.state / "pods"

    @property
    def volumes(self) -> Path:
        """Persistent volumes; outlive `down`."""
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, with its key: 0600."""
        return self.state / "admin.kubeconfig"

    @property
    def settings(self) -> Path:
        """How this cluster is made, as JSON."""
        return self.state / "cluster.json"

    @property
    def owners(self) -> Path:
        """One file for each owner of the lease."""
        return self.state / "owners"

    @property
    def processes(self) -> Path:
        """The guardian and the first process, as JSON, written by the guardian."""
        return self.run / "processes.json"

    @property
    def groups(self) -> Path:
        """The folders of its control groups, as JSON, written by the guardian before it makes them."""
        return self.run / "groups.json"

    @property
    def alive(self) -> Path:
        """A lock that the guardian holds as long as it lives."""
        return self.run / "guardian.lock"

    @property
    def plan(self) -> Path:
        """What the first process is to start, as JSON."""
        return self.run / "plan.json"

    @property
    def daemons(self) -> Path:
        """What it did start and what became of it, as JSON."""
        return self.run / "daemons.json"

    @property
    def lock(self) -> Path:
        """Held by whoever starts, heals or ends the cluster; beside the folder, which `down --wipe` deletes."""
        return self.state.with_name(f".{self.state.name}.lock")

    def make(self) -> None:
        """Make the folders, closed to other users where they hold secrets."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711)  # containers of any user pass through it to their volumes
        for folder in (self.configs, self.cni, self.logs, self.run, self.owners, self.etcd):
            folder.mkdir(exist_ok=True, mode=0o700)
        for folder in (self.containerd, self.kubelet, self.pod_logs, self.volumes):
            folder.mkdir(exist_ok=True, mode=0o711)


def default() -> Layout:
    """The cluster of this checkout."""
    return Layout(project.state() / "cluster" / "bare")


def at(state: str | os.PathLike[str] | None) -> Layout:
    """The cluster in the folder `state`, which need not be there; the checkout's own without one."""
    return Layout(Path(state).resolve()) if state else default()

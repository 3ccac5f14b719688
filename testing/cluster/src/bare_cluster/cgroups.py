"""The control groups of one cluster: one of its own in every hierarchy, under which all its processes lie.

Version 1: below the caller's own group, so that the limits set there hold for the cluster too. Version 2: at the top,
because a group that holds processes cannot hand controllers on to groups below it; the cluster's group then holds its
daemons in a leaf, and the kubelet makes its own beside that.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

if TYPE_CHECKING:
    from collections.abc import Iterable

DAEMONS = "daemons"
CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids", "hugetlb")
OWN = Path("/proc/self")
CLEAN_S = 5


@dataclass(frozen=True)
class Hierarchy:
    """One mounted tree of control groups.

    Attributes:
        mount: Where it is mounted.
        base: The folder below which the cluster's group goes.
        options: How it is mounted again inside: the controllers of version 1, nothing for version 2.
    """

    mount: Path
    base: Path
    options: str

    @property
    def unified(self) -> bool:
        """Whether it is version 2."""
        return not self.options


def hierarchies(process: Path = OWN) -> list[Hierarchy]:
    """Those that this process sees: all of version 1 where there are such, else the one of version 2."""
    mounts = (process / "mountinfo").read_text(encoding="utf-8")
    groups = (process / "cgroup").read_text(encoding="utf-8")
    return parse(mounts, groups)


def parse(mounts: str, groups: str) -> list[Hierarchy]:
    """The hierarchies in the texts of /proc/PID/mountinfo and /proc/PID/cgroup."""
    own = dict(line.split(":", 2)[1:] for line in groups.splitlines() if line.count(":") >= 2)  # noqa: PLR2004 - its form
    first: list[Hierarchy] = []
    second: list[Hierarchy] = []
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, mount = before.split(" ")[3:5]
        point = Path(mount)
        if kind == "cgroup2":
            second.append(Hierarchy(point, point, ""))
        elif kind == "cgroup":
            names = _controllers(options)
            base = _below(point, root, _group(own, names))
            first.append(Hierarchy(point, base, "none," + names if names.startswith("name=") else names))
    return first or second[:1]


def _controllers(options: str) -> str:
    """`cpu,cpuacct` out of `rw,cpu,cpuacct`; `name=systemd` out of `rw,xattr,name=systemd`."""
    words = [word for word in options.split(",") if word not in {"rw", "ro", "xattr", "clone_children", "noprefix"}]
    return ",".join(word for word in words if not word.startswith("release_agent="))


def _group(own: dict[str, str], names: str) -> str:
    """The own group in the hierarchy of these controllers, whatever order they are named in."""
    return next((path for key, path in own.items() if set(key.split(",")) == set(names.split(","))), "/")


def _below(point: Path, root: str, group: str) -> Path:
    """Where `group` lies under a mount that shows the hierarchy from `root` on."""
    inside = os.path.relpath(group, root)
    return point if inside.startswith("..") else point / inside


def make(name: str, found: list[Hierarchy]) -> list[Path]:
    """Make the group `name` in each hierarchy; returns the folders."""
    made = folders(name, found)
    for each, folder in zip(found, made, strict=True):
        if each.unified:
            _hand_on(each.base)
        folder.mkdir(exist_ok=True)
        if "cpuset" in each.options.split(","):  # empty until somebody says which, and no process may join it before
            for file in ("cpuset.cpus", "cpuset.mems"):
                (folder / file).write_text((each.base / file).read_text(encoding="ascii"), encoding="ascii")
    return made


def join(folders: list[Path]) -> None:
    """Put this process into the groups."""
    for folder in folders:
        (folder / "cgroup.procs").write_text("0", encoding="ascii")


def settle(mount: Path) -> None:
    """Version 2, inside: move the first process into a leaf, so that controllers can be handed on beside it."""
    leaf = mount / DAEMONS
    leaf.mkdir(exist_ok=True)
    join([leaf])
    _hand_on(mount)


def _hand_on(folder: Path) -> None:
    """Let groups below `folder` use every controller that there is."""
    there = (folder / "cgroup.controllers").read_text(encoding="ascii").split()
    for controller in CONTROLLERS:
        if controller in there:
            with suppress(OSError):  # refused where processes lie beside; the kubelet says which one it misses
                (folder / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")


def folders(name: str, found: list[Hierarchy]) -> list[Path]:
    """Where the group `name` is, or would be."""
    return [each.base / name for each in found]


def remove(groups: Iterable[Path]) -> None:
    """Remove groups and all below them; no error where there are none.

    Raises:
        OSError: A process is still in one after some seconds.
    """
    for folder in groups:
        _remove(folder)


@retry(retry=retry_if_exception_type(OSError), stop=stop_after_delay(CLEAN_S), wait=wait_fixed(0.05), reraise=True)
def _remove(folder: Path) -> None:
    if not folder.is_dir():
        return
    for parent, _, _ in os.walk(folder, topdown=False):
        with suppress(FileNotFoundError):
            Path(parent).rmdir()

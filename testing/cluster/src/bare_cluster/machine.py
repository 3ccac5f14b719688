"""What a machine must have to be a node, looked at before anything is started; each lack with its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404 - apt-get is a program
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from floe_core.errors import FloeError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NET_ADMIN, SYS_ADMIN, SYS_RESOURCE = 12, 21, 24  # capabilities(7)
PROGRAMS = {  # and the Debian package that brings each
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "mount": "mount",
}
MAKES_IMAGES = {"mmdebstrap": "mmdebstrap"}  # where they are not given
CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
CNI_PROGRAMS = ("bridge", "host-local", "loopback", "portmap")
CNI_PACKAGE = "containernetworking-plugins"
FREE_MEMORY_MIB = 2048
FREE_DISK_MIB = 3072
MEBI = 1 << 20
INSTALL_S = 900
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Lack:
    """One thing that is missing.

    Attributes:
        what: It.
        remedy: The next step.
        package: The Debian package that brings it; empty where none does.
    """

    what: str
    remedy: str
    package: str = ""


def lacks(state: Path, *, makes_images: bool = True, room: bool = True) -> list[Lack]:
    """Everything that this machine lacks.

    Args:
        state: Where the cluster is to be kept.
        makes_images: Whether its images are made here.
        room: Whether it needs memory and disk of its own; one that is joined has them already.
    """
    if not sys.platform.startswith("linux"):
        how = "use kind (Kubernetes in Docker) on this machine: `kind create cluster`, and name its context"
        return [Lack(f"Linux: containers need its kernel, and this is {sys.platform}", how)]
    programs = PROGRAMS | (MAKES_IMAGES if makes_images else {})
    return [*_rights(), *_programs(programs), *_kernel(), *(_room(state) if room else ())]


def check(state: Path, *, makes_images: bool = True, room: bool = True) -> None:
    """Refuse a machine that cannot be a node; takes what `lacks` takes.

    Raises:
        MissingToolError: It lacks something; all of it is told.
    """
    found = lacks(state, makes_images=makes_images, room=room)
    if found:
        raise MissingToolError(
            "this machine cannot run a cluster yet",
            where="; ".join(lack.what for lack in found),
            why=f"{len(found)} of what it needs {'is' if len(found) == 1 else 'are'} missing",
            remedy="; ".join(dict.fromkeys(lack.remedy for lack in found)),
        )


def _rights() -> list[Lack]:
    if os.geteuid() != 0:
        return [Lack("the rights of root", "run it as root: `sudo -E .venv/bin/bare-cluster …`")]
    held = capabilities()
    how = "run it outside of this container, or in one that is privileged"
    wanted = {"CAP_SYS_ADMIN": SYS_ADMIN, "CAP_NET_ADMIN": NET_ADMIN}
    return [Lack(name, how) for name, bit in wanted.items() if not held >> bit & 1]


def capabilities() -> int:
    """The effective capabilities of this process, as the kernel's bits."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def may_raise() -> bool:
    """Whether processes may be protected from the kernel when memory runs out."""
    return bool(capabilities() >> SYS_RESOURCE & 1)


def _programs(wanted: Mapping[str, str]) -> list[Lack]:
    missing = {name: package for name, package in wanted.items() if not find(name)}
    found = [
        Lack(f"the program {name}", "`bare-cluster prepare --yes` installs it on Debian", package)
        for name, package in missing.items()
    ]
    if not cni_programs():
        how = "`bare-cluster prepare --yes` installs them on Debian"
        found.append(Lack(f"the CNI plugins {', '.join(CNI_PROGRAMS)}", how, CNI_PACKAGE))
    return found


def find(program: str) -> str | None:
    """Where a program of the system is, also where PATH leaves out the folders of root's."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")


def cni_programs() -> str:
    """The folder that holds all the CNI plugins needed; empty where none does."""
    return next((each for each in CNI_FOLDERS if all(Path(each, name).is_file() for name in CNI_PROGRAMS)), "")


def _kernel() -> list[Lack]:
    found = []
    if "overlay" not in _file_systems() and not _load("overlay"):
        found.append(Lack("the kernel's overlay file system", "load it: `modprobe overlay`"))
    if not _has_groups():
        found.append(Lack("control groups", "mount them: `mount -t cgroup2 cgroup2 /sys/fs/cgroup`"))
    _load("br_netfilter")  # without it a pod does not reach itself through a Service; some kernels have it built in
    return found


def _file_systems() -> set[str]:
    lines = Path("/proc/filesystems").read_text(encoding="ascii").splitlines()
    return {line.split()[-1] for line in lines if line.strip()}


def _has_groups() -> bool:
    return " - cgroup" in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def _load(module: str) -> bool:
    if module == "br_netfilter" and Path("/proc/sys/net/bridge").exists():
        return True
    program = find("modprobe")
    if program is None:
        return False
    done = subprocess.run([program, module], capture_output=True, timeout=10, check=False)  # noqa: S603  # nosec B603 - the system's own, no shell
    return done.returncode == 0


def _room(state: Path) -> list[Lack]:
    memory = psutil.virtual_memory().available // MEBI
    there = next(folder for folder in (state, *state.parents) if folder.is_dir())
    disk = shutil.disk_usage(there).free // MEBI
    found = []
    if memory < FREE_MEMORY_MIB:
        found.append(Lack(f"memory: {memory} MiB are free of the {FREE_MEMORY_MIB} needed", "end other programs"))
    if disk < FREE_DISK_MIB:
        how = "make room, or name another folder with --state"
        found.append(Lack(f"disk: {disk} MiB are free at {there} of the {FREE_DISK_MIB} needed", how))
    return found


def install(packages: Sequence[str]) -> None:
    """Install Debian packages.

    Raises:
        FloeError: apt-get fails.
        MissingToolError: This is no Debian, or not root.
    """
    program = find("apt-get")
    if program is None or os.geteuid() != 0:
        raise MissingToolError(
            "the packages cannot be installed from here",
            where=" ".join(packages),
            why="there is no apt-get" if program is None else "only root may",
            remedy="install what these packages bring with this system's own means, as root",
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(  # noqa: S603  # nosec B603 - apt-get, no shell
            [program, *words], env=environment, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
        if done.returncode != 0:
            raise FloeError(
                "apt-get failed",
                where=f"apt-get {' '.join(words)}",
                why=done.stderr.strip()[-600:],
                remedy="correct what it complains about and try again",
            )

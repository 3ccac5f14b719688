"""What layers are made of: each part knows its key, cheaply, and fills its layer only when nobody has it yet."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops import toolchain
from floe_ops.images import debian, layers, programs, rooted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from floe_ops.images.layers import Entry

FORMAT = "1"
"""Raised when the code that fills parts changes what comes out for the same inputs."""

CERTIFICATES = debian.CERTIFICATES
USERS = {"nobody": 65534, "floe": 1000, "polaris": 10000}


@dataclass(frozen=True)
class Place:
    """Where a part is filled.

    Attributes:
        scratch: An empty folder that is thrown away.
        root: A folder with the files of the parts that it needs.
    """

    scratch: Path
    root: Path


@dataclass(frozen=True)
class Part:
    """One layer.

    Attributes:
        name: Of the layer.
        inputs: All that decides its content.
        fill: Gives its entries.
        needs: The parts whose files it must see while it is filled.
    """

    name: str
    inputs: tuple[str, ...]
    fill: Callable[[Place], Iterable[Entry]] = field(compare=False)
    needs: tuple[Part, ...] = ()

    @property
    def key(self) -> str:
        """What its layer is found by."""
        said = repr((FORMAT, epoch(), platform.machine(), self.name, self.inputs, [part.key for part in self.needs]))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def epoch() -> int:
    """The time that images carry: `SOURCE_DATE_EPOCH`, else 0, in seconds since 1970."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or 0)


def tool(name: str, at: str) -> Part:
    """A program of the toolchain at the path `at`."""
    return Part(
        name, (at, toolchain.TOOLS[name].key), lambda _place: [layers.file(at, toolchain.ensure(name), mode=0o755)]
    )


def program(name: str, version: str, at: str) -> Part:
    """A program that a package of this environment brings, known by the package's version."""

    def fill(_place: Place) -> list[Entry]:
        source = Path(sys.prefix) / "bin" / name
        if not source.is_file():
            raise MissingToolError(
                f"there is no {name} in this environment",
                where=str(source),
                remedy="use the environment that ./noxw makes",
            )
        return [layers.file(at, source, mode=layers.PROGRAM)]

    return Part(name, (at, version), fill)


def certificates() -> Part:
    """The certificates that are trusted, for programs that come alone."""
    import certifi

    return Part(
        "certificates",
        (hashlib.sha256(Path(certifi.where()).read_bytes()).hexdigest(),),
        lambda _place: [layers.file(CERTIFICATES, Path(certifi.where())), layers.folder("tmp", mode=0o1777)],
    )


def files(name: str, entries: Sequence[Entry]) -> Part:
    """A few files whose content is at hand."""
    return Part(name, (repr(entries),), lambda _place: entries)


def users(names: Sequence[str], numbers: dict[str, int] | None = None) -> list[Entry]:
    """The users of an image, of whom nobody can log in, and where names are looked up: a pod's own hosts first."""
    known = {"root": 0, **(numbers or USERS)}
    lines = [f"{name}:x:{known[name]}:{known[name]}::/tmp:/usr/sbin/nologin" for name in names]
    groups = [f"{name}:x:{known[name]}:" for name in names]
    return [
        layers.file("etc/passwd", "\n".join(lines) + "\n"),
        layers.file("etc/group", "\n".join(groups) + "\n"),
        layers.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ]


def python_base() -> Part:
    """Debian's Python with certificates and time zones, its bytecode compiled: below every Python image."""
    packages = (
        "python3",
        "libpython3.11-stdlib",
        "ca-certificates",
        "tzdata",
        "libc-bin",
        "libstdc++6",
        "dash",
        "coreutils",
    )
    pruned = ("usr/lib/python3*/test", "usr/lib/python3*/pydoc_data", "usr/lib/python3*/lib2to3", "usr/bin/pydoc*")
    return Part("python-base", (*debian.KEY, *packages, *pruned), lambda place: _python_base(place, packages, pruned))


def _python_base(place: Place, packages: Sequence[str], pruned: Sequence[str]) -> Iterator[Entry]:
    root = place.scratch / "root"
    debian.unpack(packages, root, pruned=pruned)
    rooted.run(
        root, ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/usr/lib/python3.11"]
    )
    yield from layers.tree(root, "", keep=lambda path: str(path) not in {"dev", "proc", "sys", "tmp", "run"})
    yield from users(("root", *USERS))
    yield layers.link("usr/local/bin/python", "/usr/bin/python3")
    yield layers.folder("tmp", mode=0o1777)
    yield layers.folder("run")


def postgresql() -> Part:
    """PostgreSQL with what its start needs; without the compiler for queries, which is larger than all the rest."""
    packages = (
        "postgresql-15", "dash", "coreutils", "sed", "grep", "findutils", "mawk", "hostname", "libc-bin", "tzdata",
    )  # fmt: skip
    pruned = (
        "usr/lib/postgresql/15/lib/bitcode", "usr/lib/postgresql/15/lib/llvmjit*", "usr/lib/*/libLLVM*",
        "usr/lib/llvm-14", "usr/lib/*/libz3*", "usr/lib/*/libperl*", "etc/perl", "etc/postgresql*", "etc/pam.d",
        "etc/security", "etc/selinux", "etc/sysctl*", "etc/systemd", "usr/share/postgresql-common",
        "usr/share/perl*", "usr/bin/pg_*cluster*", "sbin/*",
    )  # fmt: skip
    return Part("postgresql", (*debian.KEY, *packages, *pruned), lambda place: _postgresql(place, packages, pruned))


def _postgresql(place: Place, packages: Sequence[str], pruned: Sequence[str]) -> Iterator[Entry]:
    root, numbers = place.scratch / "root", {"postgres": 70, "nobody": 65534}
    debian.unpack(packages, root, pruned=pruned)
    yield from layers.tree(root, "", keep=lambda path: str(path) not in {"dev", "proc", "sys", "tmp", "run"})
    yield from users(("root", *numbers), numbers)
    yield layers.folder("var/lib/postgresql", mode=0o700, owner=70)
    yield layers.folder("var/lib/postgresql/data", mode=0o700, owner=70)
    yield layers.folder("var/run/postgresql", mode=0o775, owner=70)
    yield layers.folder("tmp", mode=0o1777)


def busybox() -> Part:
    """Debian's static busybox with a link for each of its commands."""
    return Part("busybox", (*debian.KEY, "busybox-static"), _busybox)


def _busybox(place: Place) -> Iterator[Entry]:
    root = place.scratch / "root"
    debian.unpack(("busybox-static",), root)
    found = next(path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.is_file())
    yield layers.file("bin/busybox", found, mode=layers.PROGRAM)
    for command in programs.run([str(found), "--list"]).stdout.split():
        if command != "busybox":
            yield layers.link(f"bin/{command}", "busybox")
    yield from layers.tree(root / debian.NOTES, debian.NOTES)
    yield layers.file("usr/share/doc/busybox-static/copyright", root / "usr/share/doc/busybox-static/copyright")
    yield from users(("root", "nobody"))
    yield layers.folder("tmp", mode=0o1777)

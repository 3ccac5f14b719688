"""Where a secret must not be: files that others may read, command lines, and environments that have no need of it."""

from __future__ import annotations

import mmap
import os
import platform
import stat
import subprocess  # nosec B404 - ps is a program
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from floe_ops.audits.canary.forms import Form

PROC = Path("/proc")
OTHERS = 0o077
# Not looked into: history that was committed before, and programs, packages and images of other people.
FOREIGN = frozenset({".git", ".venv", "node_modules", "dbt_packages", ".nox"})
MADE_BEFORE = (Path(".floe/tools"), Path(".floe/pycache"), Path(".floe/cluster/bare/containerd"))


@dataclass(frozen=True)
class Sighting:
    """A secret where it must not be: the place, the secret's name and the way it was written."""

    place: str
    secret: str
    way: str

    def __str__(self) -> str:
        return f"{self.place}: holds {self.secret} ({self.way}; value withheld)"


@dataclass(frozen=True)
class Seen:
    """What was found, and in how many places was looked."""

    sightings: tuple[Sighting, ...]
    looked: int


def files(project: Path, forms: Sequence[Form], *, more: Iterable[Path] = ()) -> Seen:
    """Look into every file of the project that somebody else may read.

    A file of mode 0600 is where secrets belong, and is passed over.

    Args:
        project: The root; `.floe/` with logs, reports, artifacts and data is below it.
        forms: What to look for.
        more: Folders elsewhere, such as a temp folder.

    Raises:
        WrongStateError: A file cannot be read.
    """
    found, looked = [], 0
    for top in (project, *more):
        for path in _readable(top):
            looked += 1
            name = str(path.relative_to(top)) if top == project else str(path)
            found += [Sighting(name, form.secret, form.way) for form in _first(_in_file(path, forms))]
    return Seen(tuple(found), looked)


def command_lines(forms: Sequence[Form]) -> Seen:
    """Look at the command line of every process of this machine that can be seen.

    Raises:
        WrongStateError: Nothing can be seen.
    """
    lines = list(_command_lines())
    if not lines:
        raise WrongStateError("no command line can be seen", where="/proc, ps", why="not even our own")
    found = [
        Sighting(f"command line of process {pid} ({_program(line)})", form.secret, form.way)
        for pid, line in lines
        for form in _first(form for form in forms if form.needle in line)
    ]
    return Seen(tuple(found), len(lines))


def environments(forms: Sequence[Form], allowed: frozenset[int]) -> Seen:
    """Look at the environment of every process that can be seen (Linux), but for those that are handed secrets.

    Args:
        forms: What to look for.
        allowed: Processes that are handed secrets by environment, as the house does it.
    """
    found, looked = [], 0
    for pid in _processes():
        content = _read(PROC / str(pid) / "environ")
        if pid in allowed or content is None:
            continue
        looked += 1
        found += [
            Sighting(f"environment of process {pid} ({_program(_read(PROC / str(pid) / 'cmdline') or b'')})", *named)
            for named in sorted({(form.secret, form.way) for form in forms if form.needle in content})
        ]
    return Seen(tuple(found), looked)


def family(*roots: int) -> frozenset[int]:
    """These processes, all that they started, and this one with all that it descends from (Linux)."""
    parents = {pid: _parent(pid) for pid in _processes()}
    kin, size = {*roots, os.getpid()}, 0
    while size != len(kin):
        size = len(kin)
        kin |= {pid for pid, parent in parents.items() if parent in kin}
    above = os.getpid()
    while above := parents.get(above, 0):
        kin.add(above)
    return frozenset(kin)


def _readable(top: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(top):
        place = Path(here)
        inside = place.relative_to(top)
        folders[:] = sorted(
            name for name in folders if name not in FOREIGN and inside / name not in MADE_BEFORE and _open(place / name)
        )
        yield from (path for path in (place / name for name in sorted(names)) if _seen_by_others(path))


def _open(folder: Path) -> bool:
    """Whether a folder is one, and not a link that would lead elsewhere."""
    return not folder.is_symlink()


def _seen_by_others(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:  # gone meanwhile
        return False
    return stat.S_ISREG(mode) and bool(mode & OTHERS)


def _in_file(path: Path, forms: Sequence[Form]) -> Iterator[Form]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                yield from (form for form in forms if content.find(form.needle) >= 0)
    except FileNotFoundError:  # gone meanwhile
        return
    except (OSError, ValueError) as error:
        raise WrongStateError("a file cannot be looked into for secrets", where=str(path), why=str(error)) from error


def _first(found: Iterable[Form]) -> list[Form]:
    """One form for each secret: the plain one where it is there."""
    by_secret: dict[str, Form] = {}
    for form in found:
        by_secret.setdefault(form.secret, form)
    return list(by_secret.values())


def _command_lines() -> Iterator[tuple[int, bytes]]:
    if platform.system() == "Linux":
        for pid in _processes():
            line = _read(PROC / str(pid) / "cmdline")
            if line:
                yield pid, line
        return
    said = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, check=True).stdout  # noqa: S607  # nosec B603, B607 - ps on PATH, fixed words
    for said_of_one in said.splitlines():
        number, _, words = said_of_one.strip().partition(b" ")
        yield int(number), words


def _processes() -> Iterator[int]:
    if platform.system() == "Linux":
        yield from (int(path.name) for path in PROC.iterdir() if path.name.isdigit())


def _parent(pid: int) -> int:
    content = _read(PROC / str(pid) / "stat") or b""
    fields = content.rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # gone, or another user's
        return None


def _program(line: bytes) -> str:
    words = line.split(b"\0" if b"\0" in line else b" ")  # /proc ends each word with a NUL, ps puts spaces between them
    return Path(words[0].decode(errors="replace")).name or "unnamed"

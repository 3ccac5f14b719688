"""The lock as the audits see it: its third-party pins, its export for pip-audit, and whether it is up to date."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, WrongStateError
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCK_DEADLINE_S = 60.0


@dataclass(frozen=True, order=True)
class Pin:
    """One package at one version: the name normalised as PyPI does it, the version in its PEP 440 form."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def pin(name: str, version: str) -> Pin:
    """A `Pin` of any spelling; a version that PEP 440 does not know is kept as it is written."""
    with suppress(InvalidVersion):
        version = str(Version(version))
    return Pin(canonicalize_name(name), version)


def third_party(lock: Path) -> frozenset[Pin]:
    """Every package of `uv.lock` that is not a member of the workspace, on whatever platform it installs.

    Raises:
        WrongStateError: The lock cannot be read, or a third-party package has no version in it.
    """
    try:
        raw = tomllib.loads(lock.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WrongStateError(
            "the lock cannot be read", where=str(lock), why=str(error), remedy="run: uv lock"
        ) from error
    members = set(raw.get("manifest", {}).get("members", ()))
    packages = [entry for entry in raw.get("package", ()) if not _own(entry, members)]
    nameless = sorted(entry["name"] for entry in packages if "version" not in entry)
    if nameless:
        raise WrongStateError(
            "the lock holds third-party packages without a version, which no advisory can be held against",
            where=str(lock),
            why=", ".join(nameless),
            remedy="depend on a released version of each",
        )
    return frozenset(pin(entry["name"], entry["version"]) for entry in packages)


def _own(entry: Mapping[str, Any], members: set[str]) -> bool:
    source = entry.get("source", {})
    return entry["name"] in members or "." in (source.get("virtual"), source.get("editable"))


def export(project: Path, folder: Path) -> Path:
    """Write the project's lock to `folder` as `pylock.toml` (PEP 751), with every group, extra and platform.

    Reads only `uv.lock`: no network, no change of the lock.

    Raises:
        MissingToolError: uv is not there.
        WrongStateError: uv refused; its words are in `why`.
    """
    target = folder / "pylock.toml"
    words = ["--format", "pylock.toml", "--all-packages", "--all-groups", "--all-extras"]
    words += ["--no-emit-workspace", "--no-header", "--quiet", "-o", str(target)]
    done = _uv(project, "export", "--frozen", "--offline", *words)
    if done.returncode:
        raise WrongStateError("the lock cannot be exported", where=str(project / "uv.lock"), why=done.stderr.strip())
    return target


def check(project: Path) -> None:
    """Hold the lock against every `pyproject.toml` of the workspace.

    First without network (0.1 s); only where uv lacks a fact for that, once more with it.

    Raises:
        MissingToolError: uv is not there.
        WrongStateError: The lock is out of date or broken.
    """
    done = _uv(project, "lock", "--check", "--offline")
    if done.returncode:
        done = _uv(project, "lock", "--check")
    if done.returncode:
        raise WrongStateError(
            "the lock is not up to date with the project",
            where=str(project / "uv.lock"),
            why=done.stderr.strip(),
            remedy="run: uv lock, and commit uv.lock",
        )


def resolve(project: Path, anew: Sequence[str]) -> tuple[int, str]:
    """Resolve the project as `uv lock` would, writing nothing: uv's exit code and its words.

    Args:
        project: The root.
        anew: Packages whose locked version is not kept.

    Raises:
        MissingToolError: uv is not there.
        WrongStateError: It did not end in time.
    """
    packages = [word for name in anew for word in ("--upgrade-package", name)]
    done = _uv(project, "lock", "--dry-run", "--color", "never", *packages)
    return done.returncode, done.stderr


def uv() -> str:
    """The environment's uv, else the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else "uv"


def _uv(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = uv()
    try:
        return subprocess.run(  # noqa: S603 - a fixed program with words of our own
            [program, *words, "--project", str(project)],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=LOCK_DEADLINE_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingToolError(
            "uv is not installed", where=program, remedy="run ./noxw once, or install uv and put it on PATH"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise WrongStateError(
            f"uv {words[0]} did not end within {LOCK_DEADLINE_S:.0f} s",
            where=str(project),
            why="it waits for a network or a lock that another uv holds",
            remedy="end the other uv, or set UV_OFFLINE=1",
        ) from error

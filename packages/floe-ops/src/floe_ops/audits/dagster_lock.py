"""Dagster and its libraries stand in ONE lock with the rest, installed as locked, as a pair that says it fits."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from floe_core.errors import MissingToolError, NotReadyError, WrongStateError
from packaging.requirements import Requirement

LIBRARIES = ("dagster", "dagster-webserver", "dagster-dbt", "dagster-dlt")
"""What the orchestrator plugin declares."""

_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class LockedLibraries:
    """Versions by distribution, as locked and installed."""

    versions: dict[str, str]
    packages: int

    def sentence(self) -> str:
        """One line of evidence."""
        named = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"uv lock --check passes; {named} installed as locked, in one lock of {self.packages} packages"


def check_lock(root: Path) -> LockedLibraries:
    """Check `root`'s lock against its projects, the environment against the lock, the libraries against each other.

    Needs no network: a lock that fits its projects is accepted without asking the index.

    Raises:
        MissingToolError: uv cannot be found, or there is no lock.
        WrongStateError: the lock is stale, a version differs from it, or the libraries do not fit each other.
        NotReadyError: uv did not answer in time.
    """
    _check_with_uv(root)
    locked, packages = _locked_versions(root)
    differences = [*_differences(locked), *_misfits()]
    if differences:
        raise WrongStateError(
            "the environment's Dagster is not the locked one",
            where=str(root / "uv.lock"),
            why="; ".join(differences),
            remedy="run `uv sync`",
        )
    return LockedLibraries({name: locked[name] for name in LIBRARIES}, packages)


def _check_with_uv(root: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise MissingToolError("cannot check the lock", why="uv is not there", remedy="start through ./noxw")
    try:
        done = subprocess.run(  # noqa: S603 - the environment's own uv, arguments fixed here
            [uv, "lock", "--check", "--offline"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotReadyError("uv did not finish checking the lock", where=str(root / "uv.lock")) from None
    if done.returncode != 0:
        raise WrongStateError(
            "the lock does not fit the projects",
            where=str(root / "uv.lock"),
            why=" ".join(done.stderr.split())[-400:],
            remedy="run `uv lock` and commit uv.lock",
        )


def _locked_versions(root: Path) -> tuple[dict[str, str], int]:
    try:
        lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingToolError("there is no lock", where=str(root / "uv.lock"), remedy="run `uv lock`") from None
    packages = lock["package"]
    return {package["name"]: package.get("version", "") for package in packages}, len(packages)


def _differences(locked: dict[str, str]) -> list[str]:
    found = []
    for name in LIBRARIES:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "nothing"
        if installed != locked.get(name):
            found.append(f"{name}: {installed} installed, {locked.get(name, 'nothing')} locked")
    return found


def _misfits() -> list[str]:
    """Requirements of the libraries on each other that the installed versions do not meet."""
    found: list[str] = []
    for name in LIBRARIES:
        try:
            declared = [Requirement(text) for text in metadata.requires(name) or []]
            wanted = [entry for entry in declared if re.match(r"dagster\b", entry.name) and entry.marker is None]
            unmet = [e for e in wanted if not e.specifier.contains(metadata.version(e.name), prereleases=True)]
        except metadata.PackageNotFoundError:
            continue  # already among the differences
        found.extend(f"{name} wants {entry}, {metadata.version(entry.name)} is installed" for entry in unmet)
    return found

"""Dagster and its libraries stand in ONE lock with the rest, installed as locked, as a pair that says it fits.

They are pinned exactly, with the reason beside the pins and in docs/decisions.md: the libraries take one Dagster each,
and a 2.x is taken on purpose only, after the audit.
"""

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

PLUGIN = "plugins/floe-orchestrator-dagster"
CRITERION = "WU3-AC1"

_TIMEOUT_S = 60.0
_PIN = re.compile(r'\s*"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==[^"]*",?(?P<rest>.*)')


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


def check_pins(root: Path) -> str:
    """One line of evidence that the plugin pins its libraries exactly, as locked and installed, and says why.

    Raises:
        MissingToolError: There is no lock.
        WrongStateError: A library is not pinned, at another version than the lock's, or without a reason.
    """
    project = root / PLUGIN / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    pins = exact_pins(text)
    locked, _packages = _locked_versions(root)
    wrong = [f"{name} is not pinned exactly" for name in LIBRARIES if name not in pins]
    wrong += [
        f"{name} is pinned at {version}, locked at {locked.get(name, 'nothing')}"
        for name, version in pins.items()
        if name in LIBRARIES and locked.get(name) != version
    ]
    wrong += [f"the pin of {name} has no reason beside it" for name in unexplained(text) if name in LIBRARIES]
    row = _decision(root)
    wrong += [] if row else [f"docs/decisions.md has no reason for {CRITERION}"]
    if wrong:
        raise WrongStateError(
            "Dagster's constraint is not as documented",
            where=str(project),
            why="; ".join(wrong),
            remedy="pin it exactly, with a comment that says why, and keep the row of docs/decisions.md",
        )
    named = ", ".join(f"{name}=={pins[name]}" for name in LIBRARIES)
    return f"{named}, as locked; {row}"


def exact_pins(project: str) -> dict[str, str]:
    """Version by name of what the text of a pyproject.toml pins with `==`."""
    listed = [Requirement(text) for text in tomllib.loads(project)["project"].get("dependencies", [])]
    single = {one.name: list(one.specifier) for one in listed if len(one.specifier) == 1}
    return {name: only[0].version for name, only in single.items() if only[0].operator == "=="}


def unexplained(project: str) -> list[str]:
    """The exact pins in the text of a pyproject.toml without a comment: on their line, or above them and their like."""
    found: list[str] = []
    explained = False
    for line in project.splitlines():
        match = _PIN.match(line)
        if match:
            explained = explained or "#" in match["rest"]
            found += [] if explained else [match["name"]]
        else:
            explained = line.lstrip().startswith("#")
    return found


def refusals(replaced: dict[str, str]) -> list[str]:
    """What the installed libraries would say to other versions of each other, a sentence each; none where all agree."""
    return _misfits(replaced)


def _decision(root: Path) -> str:
    """The reason that docs/decisions.md gives for the deviation, from the last column of the criterion's row."""
    try:
        lines = (root / "docs" / "decisions.md").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    return next((row[-1] for row in rows if row[0] == CRITERION and len(row) > 1), "")


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


def _misfits(replaced: dict[str, str] | None = None) -> list[str]:
    """Requirements of the libraries on each other that the installed versions, or those in `replaced`, do not meet."""
    others = replaced or {}

    def version(name: str) -> str:
        return others.get(name) or metadata.version(name)

    found: list[str] = []
    for name in LIBRARIES:
        try:
            declared = [Requirement(text) for text in metadata.requires(name) or []]
            wanted = [entry for entry in declared if re.match(r"dagster\b", entry.name) and entry.marker is None]
            unmet = [e for e in wanted if not e.specifier.contains(version(e.name), prereleases=True)]
        except metadata.PackageNotFoundError:
            continue  # already among the differences
        found.extend(f"{name} wants {entry}, not {version(entry.name)}" for entry in unmet)
    return found

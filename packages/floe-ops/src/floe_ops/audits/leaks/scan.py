"""The whole look for literal credentials by gitleaks, and the house's sentence about what was seen."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_ops.audits.leaks import allowed, detector, surfaces
from floe_ops.audits.leaks.staging import Staging
from floe_ops.images import build

if TYPE_CHECKING:
    from floe_ops.audits.leaks.allowed import Allowed
    from floe_ops.audits.leaks.detector import Leak


@dataclass(frozen=True)
class Result:
    """One look.

    Attributes:
        seen: What was looked at, a clause each.
        leaks: Findings that no entry of `.gitleaks.toml` covers.
        unused: Entries that cover nothing.
        left_out: Files that were not looked at, each with why.
    """

    seen: tuple[str, ...]
    leaks: tuple[Leak, ...]
    unused: tuple[Allowed, ...]
    left_out: tuple[str, ...]


def scan(project: Path) -> Result:
    """Look at the tree, the whole history, built packages, artifacts, logs and reports of runs, and own image layers.

    Raises:
        MissingToolError: gitleaks or uv is missing.
        NotReadyError: One of them did not end in time.
        WrongStateError: Something could not be looked at, or `.gitleaks.toml` is not valid.
    """
    entries = allowed.load(project)
    with ThreadPoolExecutor(max_workers=1) as beside:
        past = beside.submit(_history, project)
        seen, leaks, left_out = files(project)
        commits, old = past.result()
    open_, unused = allowed.apply(entries, [*leaks, *old])
    return Result((*seen, commits), tuple(sorted(set(open_), key=str)), unused, left_out)


def files(project: Path) -> tuple[tuple[str, ...], list[Leak], tuple[str, ...]]:
    """The part of `scan` that looks at files: what was looked at, what was found, what was left out; raises alike."""
    with tempfile.TemporaryDirectory(prefix="floe-leaks-") as scratch:
        folder, dist = Path(scratch) / "staged", Path(scratch) / "dist"
        folder.mkdir()
        dist.mkdir()
        staging = Staging(folder)
        seen = (
            surfaces.tree(project, staging),
            surfaces.packages(project, dist, staging),
            surfaces.artifacts(project / ".floe", staging),
            surfaces.runs(project / ".floe", staging),
            surfaces.images(build.folder(), staging),
        )
        leaks = staging.told(detector.folder(folder))
        return seen, leaks, tuple(staging.left_out)


def _history(project: Path) -> tuple[str, list[Leak]]:
    if not (project / ".git").exists():
        return "no history (no git checkout)", []
    leaks, commits = detector.history(project)
    short = " of a shallow clone (what came before was not looked at)" if detector.is_shallow(project) else ""
    return f"{commits} commits{short}", leaks

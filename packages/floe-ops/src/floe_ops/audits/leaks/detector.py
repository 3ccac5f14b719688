"""gitleaks, asked so that nothing is left out: all of its rules, no allowlist of ours, no comment that excuses.

Its report comes through a pipe and is never written to disk, because it holds what was found.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess  # nosec B404 - gitleaks and git are programs
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops import orphans, toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT_S = 300.0
ALLOW_SHALLOW = "FLOE_SHALLOW_HISTORY"
FOUND, CLEAN = 1, 0
CONFIG = "[extend]\nuseDefault = true\n"
WITNESS = "witness/of-the-detector.txt"
EVERYTHING = ("--all", "HEAD", "--diff-merges=first-parent")
ADDING = re.compile(r"[1-9]\d*\t")  # of `git log --numstat`: lines added, lines removed, file
COMMITS = re.compile(r"\b(\d+) commits scanned")


@dataclass(frozen=True)
class Leak:
    """One finding.

    Attributes:
        rule: Of gitleaks.
        path: The file, seen from where was looked.
        line: In that file.
        secret: The value, for `allowed` alone; never printed.
        commit: Where it was found in the history; empty elsewhere.
        inside: What the file lies in: a wheel, an image; empty for the tree.
    """

    rule: str
    path: str
    line: int
    secret: str
    commit: str = ""
    inside: str = ""

    def __str__(self) -> str:
        at = f" in commit {self.commit[:12]}" if self.commit else f" in {self.inside}" if self.inside else ""
        return f"{self.path}:{self.line}{at}: {self.rule} (value withheld)"

    def __repr__(self) -> str:
        return f"Leak({self})"


def folder(staged: Path) -> list[Leak]:
    """What gitleaks finds in the files of a folder of our making.

    A token made for this one look is put beside the files: where it is not found nothing was looked at.

    Raises:
        MissingToolError: gitleaks cannot be built.
        NotReadyError: It did not end in time.
        WrongStateError: It failed, or passed over what was put there.
    """
    witness = staged / WITNESS
    witness.parent.mkdir(parents=True, exist_ok=True)
    witness.write_text(f"token: ghp_{secrets.token_hex(18)}\n", encoding="utf-8")
    found, _ = _run(["dir", "."], staged)
    if not any(leak.path == WITNESS for leak in found):
        raise _blind(staged, "it did not find the token that was put beside the files")
    return [leak for leak in found if leak.path != WITNESS]


def history(project: Path) -> tuple[list[Leak], int]:
    """What gitleaks finds in every commit that any branch or tag reaches, and how many commits those are.

    Raises:
        MissingToolError: gitleaks cannot be built.
        NotReadyError: It did not end in time.
        WrongStateError: The clone is shallow and `FLOE_SHALLOW_HISTORY` does not allow that, gitleaks failed, or it
            did not look at every commit.
    """
    if is_shallow(project) and not os.environ.get(ALLOW_SHALLOW):
        raise WrongStateError(
            "the history cannot be looked at for credentials: this clone has only its last commits",
            where=str(project),
            why="git says that the repository is shallow",
            remedy="fetch the rest: git fetch --unshallow; in a workflow: fetch-depth: 0 for actions/checkout; or set "
            f"{ALLOW_SHALLOW}=1 to have only these commits looked at, which the result will say",
        )
    wanted = _adding(project)
    found, said = _run(["git", ".", f"--log-opts={' '.join(EVERYTHING)}"], project)
    match = COMMITS.search(said)
    seen = int(match[1]) if match else 0
    if seen < wanted:
        raise _blind(project, f"it looked at {seen} of {wanted} commits that add lines")
    return found, seen


def is_shallow(project: Path) -> bool:
    """Whether the clone holds only its last commits."""
    return git(project, "rev-parse", "--is-shallow-repository") == "true"


def _adding(project: Path) -> int:
    """How many commits add a line of text: those that gitleaks must have counted."""
    commits = git(project, "log", *EVERYTHING, "--numstat", "--format=%x00").split("\0")
    return sum(
        any(line.split("\t")[0].strip("0-") for line in commit.split("\n") if "\t" in line) for commit in commits
    )


def git(project: Path, *words: str) -> str:
    """What git answers.

    Raises:
        WrongStateError: git failed.
    """
    done = subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=False)  # noqa: S603, S607  # nosec B603, B607 - git on PATH, words of our own
    if done.returncode:
        raise WrongStateError("git does not answer", where=str(project), why=done.stderr.strip())
    return done.stdout.strip()


def _run(words: Sequence[str], where: Path) -> tuple[list[Leak], str]:
    with tempfile.TemporaryDirectory(prefix="floe-gitleaks-") as scratch:
        config = Path(scratch) / "config.toml"
        config.write_text(CONFIG, encoding="utf-8")
        options = ["--config", str(config), "--gitleaks-ignore-path", scratch, "--ignore-gitleaks-allow"]
        options += ["--no-banner", "--no-color", "--report-format", "json", "--report-path", "-"]
        command = [str(toolchain.ensure("gitleaks")), *words, *options]
        try:
            done = subprocess.run(  # noqa: S603  # nosec B603 - the program just built, words of our own
                command,
                cwd=where,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=LIMIT_S,
                check=False,
                preexec_fn=orphans.killed_with_this(),
            )
        except subprocess.TimeoutExpired as error:
            raise NotReadyError(f"gitleaks did not end within {LIMIT_S:.0f} s", where=str(where)) from error
    if done.returncode not in (CLEAN, FOUND):
        raise _blind(where, done.stderr.strip() or f"it ended with {done.returncode}")
    try:
        report = list(json.loads(done.stdout or "null") or [])
    except ValueError as error:
        raise _blind(where, "its report is no JSON") from error
    if bool(report) != (done.returncode == FOUND):
        raise _blind(
            where, f"it ended with {done.returncode} and reported {len(report)} findings: {done.stderr.strip()}"
        )
    return [_leak(entry) for entry in report], done.stderr


def _leak(entry: dict[str, Any]) -> Leak:
    return Leak(
        entry["RuleID"], entry["File"].removeprefix("./"), int(entry["StartLine"]), entry["Secret"], entry["Commit"]
    )


def _blind(where: Path, why: str) -> WrongStateError:
    return WrongStateError(
        "gitleaks did not look at everything",
        where=str(where),
        why=why,
        remedy="an audit that leaves something out proves nothing: see what is special here",
    )

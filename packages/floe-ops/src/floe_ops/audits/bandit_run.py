"""bandit over every source and test tree, and a reason beside every `nosec`.

Findings of high and medium severity fail. bandit itself lets `# nosec B608 - reason` pass; a `nosec` that names no
check or gives no reason is a finding of this module.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import NotReadyError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TREES = ("packages", "plugins", "testing", "tests", "demo", "examples", "toolchain", "noxfile.py", "tasks.py")
FOREIGN = (".venv", "__pycache__", "dbt_packages", "target", "node_modules")
SEVERITIES = ("MEDIUM", "HIGH")
DEADLINE_S = 120.0
CORES = os.cpu_count() or 1
JUSTIFIED = re.compile(r"#\s*nosec:?\s+B\d{3}(?:\s*,\s*B\d{3})*\s+-\s+\S.{4,}")
NOSEC = re.compile(r"#\s*nosec\b")


@dataclass(frozen=True)
class Issue:
    """One finding: `check` is bandit's id (`B608`) or `nosec`; `severity` is HIGH, MEDIUM or LOW."""

    path: str
    line: int
    check: str
    severity: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.check} ({self.severity.lower()}): {self.text}"


@dataclass(frozen=True)
class Result:
    """What was looked at, and what was found in it."""

    files: int
    lines: int
    issues: tuple[Issue, ...]


def scan(project: Path, report: dict[str, Any] | None = None) -> Result:
    """Hold every tree against bandit's checks, high and medium, and against the rule for `nosec`; raises as `run`.

    Args:
        project: The project's root.
        report: What `run` gave for it, where that is known already.
    """
    report = report or run(project)
    issues = [*_issues(project, report, SEVERITIES), *unjustified(project)]
    return Result(len(_files(report)), _lines(report), tuple(issues))


def run(project: Path) -> dict[str, Any]:
    """Bandit's own JSON report over the trees, findings of every severity but B101 (pytest's assert).

    bandit uses one core and takes twenty seconds for a thousand files, so every core gets its share of them.

    Raises:
        WrongStateError: bandit failed, or a file was not looked at or could not be parsed: an unread file is not clean.
        NotReadyError: bandit did not end in time.
    """
    files = [str(path.relative_to(project)) for path in sources(project)]
    shares = [share for number in range(CORES) if (share := files[number::CORES])]
    with ThreadPoolExecutor(max_workers=CORES) as side_by_side:
        reports = list(side_by_side.map(lambda share: _bandit(project, share), shares))
    report = {
        "results": [found for one in reports for found in one["results"]],
        "metrics": {name: seen for one in reports for name, seen in one["metrics"].items() if name != "_totals"},
    }
    errors = [fault for one in reports for fault in one["errors"]]
    missed = {Path(name) for name in files} - {Path(name) for name in report["metrics"]}
    if errors or missed:
        why = [f"{fault['filename']}: {fault['reason']}" for fault in errors]
        why += [f"{name}: not looked at" for name in sorted(map(str, missed))]
        raise WrongStateError("bandit could not read every file", where=str(project), why="; ".join(why))
    return report


def _bandit(project: Path, files: Sequence[str]) -> dict[str, Any]:
    words = [*files, "-f", "json", "-q", "-s", "B101"]
    try:
        done = subprocess.run(  # noqa: S603 - our interpreter with words of our own
            [sys.executable, "-m", "bandit", *words],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(f"bandit did not end within {DEADLINE_S:.0f} s", where=str(project)) from error
    try:
        return dict(json.loads(done.stdout))
    except ValueError as error:
        raise WrongStateError("bandit gave no report", where=str(project), why=done.stderr.strip()) from error


def of_checks(project: Path, report: dict[str, Any], checks: Sequence[str]) -> list[Issue]:
    """The findings of a report that come from these checks, of any severity."""
    return [issue for issue in _issues(project, report, ("LOW", *SEVERITIES)) if issue.check in checks]


def unjustified(project: Path) -> list[Issue]:
    """Every `nosec` comment that names no check or gives no reason; text in strings is none."""
    return [issue for path in sources(project) for issue in _comments(project, path)]


def sources(project: Path, suffix: str = ".py") -> list[Path]:
    """The files with this ending in the trees that are looked at, in order."""
    found: list[Path] = []
    for name in TREES:
        tree = project / name
        candidates = [tree] if tree.is_file() else tree.rglob(f"*{suffix}")
        found += [path for path in candidates if not set(path.relative_to(project).parts) & set(FOREIGN)]
    return sorted(found)


def _comments(project: Path, path: Path) -> Iterator[Issue]:
    if b"nosec" not in path.read_bytes():
        return
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            comment = token.string
            if token.type != tokenize.COMMENT or not NOSEC.search(comment) or JUSTIFIED.search(comment):
                continue
            text = f"{comment.strip()!r} names no check or no reason; write: # nosec B608 - why it is safe"
            yield Issue(str(path.relative_to(project)), token.start[0], "nosec", "MEDIUM", text)


def _issues(project: Path, report: dict[str, Any], severities: Sequence[str]) -> Iterator[Issue]:
    for found in report["results"]:
        if found["issue_severity"] in severities:
            path = (project / found["filename"]).resolve().relative_to(project.resolve())
            yield Issue(str(path), found["line_number"], found["test_id"], found["issue_severity"], found["issue_text"])


def _files(report: dict[str, Any]) -> list[str]:
    return list(report["metrics"])


def _lines(report: dict[str, Any]) -> int:
    return sum(int(seen["loc"]) for seen in report["metrics"].values())

"""The lock by `uv audit`: a second auditor with code of its own, held against the first.

Both ask the same source about the same lock. What one of them finds alone is a fault of one of them, and nobody
knows of which: a disagreement fails.
"""

from __future__ import annotations

import json
import os
import subprocess  # nosec B404 - uv is a program
from typing import TYPE_CHECKING, Any

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops.audits import lock, sources
from floe_ops.audits.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

AUDIT_S = 60.0
FEATURES = "audit,json-output"


def run(project: Path, base: str) -> dict[str, Any]:
    """The JSON of uv about the project's lock; nothing is locked anew, no package index is asked.

    Raises:
        NotReadyError: It did not end in time.
        WrongStateError: It failed, or gave no report.
    """
    words = ["audit", "--frozen", "--no-index", "--service-url", base, "--output-format", "json"]
    words += ["--preview-features", FEATURES, "--project", str(project)]
    environ = {key: value for key, value in os.environ.items() if key != "UV_OFFLINE"}  # the source is in reach
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - the environment's uv, words of our own
            [lock.uv(), *words],
            cwd=project,
            env={**environ, **sources.without_proxy()},
            capture_output=True,
            text=True,
            timeout=AUDIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(f"uv audit did not end within {AUDIT_S:.0f} s", where=base) from error
    report = _report(done.stdout) if done.returncode in (0, 1) else None
    if report is None:
        why = done.stderr.strip() or f"it ended with {done.returncode} and gave no report of the shape that is known"
        raise WrongStateError("uv audit could not finish its work", where=base, why=why)
    return report


def _report(text: str) -> dict[str, Any] | None:
    """The report, or None where it has not the shape that is read here."""
    try:
        report = dict(json.loads(text))
        findings(report)
        return report if isinstance(report["summary"]["audited_packages"], int) else None
    except (ValueError, KeyError, TypeError):
        return None


def findings(report: dict[str, Any]) -> list[Finding]:
    """What uv found."""
    found = []
    for entry in report["vulnerabilities"]:
        pin = lock.pin(entry["dependency"]["name"], entry["dependency"]["version"])
        names = tuple(sorted(set(entry["aliases"]) - {entry["id"]}))
        found.append(Finding(pin.name, pin.version, entry["id"], names, tuple(entry["fix_versions"])))
    return found


def agree(first: Iterable[Finding], report: dict[str, Any], pins: int, project: Path) -> None:
    """Hold pip-audit's findings against uv's, by package, version and any of an advisory's names.

    Raises:
        WrongStateError: One found what the other did not, or uv looked at another number of packages.
    """
    ours, theirs = list(first), findings(report)
    looked = report["summary"]["audited_packages"]
    faults = [f"uv looked at {looked} packages, the lock has {pins}"] if looked != pins else []
    faults += [f"pip-audit alone: {one}" for one in ours if not any(_same(one, other) for other in theirs)]
    faults += [f"uv alone: {one}" for one in theirs if not any(_same(one, other) for other in ours)]
    if faults:
        raise WrongStateError(
            "pip-audit and uv audit do not agree about the lock",
            where=str(project / "uv.lock"),
            why="\n         ".join(faults),
            remedy="one of the two overlooks something: see the advisory by its id",
        )


def _same(one: Finding, other: Finding) -> bool:
    if (one.package, one.version) != (other.package, other.version):
        return False
    return bool({one.id, *one.aliases} & {other.id, *other.aliases})

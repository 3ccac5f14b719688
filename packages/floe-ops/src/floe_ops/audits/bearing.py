"""What the outcome of an advisory audit means here: at a desk, in CI, alone or inside of `final`."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, WrongStateError

from floe_ops import project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_ops import evidence
    from floe_ops.audits.findings import Report

FILE = "advisories.json"
NO_SOURCE = "no advisory source in reach, set FLOE_ADVISORIES"


@dataclass(frozen=True)
class Place:
    """Where the audit runs: in CI or at a desk, inside of `final` or asked for by name, lenient to old snapshots."""

    ci: bool
    final: bool
    allow_stale: bool

    @classmethod
    def of(cls, environ: Mapping[str, str], *, allow_stale: bool = False) -> Place:
        """Read `CI`, `FLOE_FINAL` (set by the noxfile when `final` was asked for) and `FLOE_ALLOW_STALE`."""
        return cls(
            ci=environ.get("CI", "").lower() == "true",
            final=environ.get("FLOE_FINAL") == "1",
            allow_stale=allow_stale or environ.get("FLOE_ALLOW_STALE") == "1",
        )


@dataclass(frozen=True)
class Bearing:
    """What to record for the criterion, the sentence to print, and the error to end with, if any."""

    status: evidence.Outcome
    sentence: str
    error: Exception | None = None


def settle(report: Report, place: Place) -> Bearing:
    """Turn an outcome into a consequence.

    Findings always fail. Without a source the audit fails, but for a `final` at a desk, which goes on and says that
    it did not look. An old source passes as stale; under CI only where that was allowed in so many words.
    """
    looked = against(report)
    go = f"; {report.go}" if report.go else ""
    if report.outcome == "not_looked":
        if place.final and not place.ci:
            return Bearing("not_run", NO_SOURCE)
        return Bearing("failed", NO_SOURCE, no_source())
    if report.outcome == "findings":
        return Bearing("failed", _what(report), _findings(report))
    if report.outcome == "stale":
        sentence = f"{looked}: nothing found, but it is older than allowed (good until {report.valid_until}){go}"
        refused = place.ci and not place.allow_stale
        return Bearing("failed" if refused else "passed_stale", sentence, _stale(report) if refused else None)
    accepted = f", {len(report.accepted)} accepted" if report.accepted else ""
    return Bearing("passed", f"{looked}: nothing found{accepted}{go}")


def against(report: Report) -> str:
    """What was held against what, of which day."""
    return f"{report.packages} packages against {report.source} of {report.as_of}"


def document(report: Report) -> dict[str, Any]:
    """The report for `.floe/run/advisories.json` and `--json`; days and moments in ISO 8601."""
    return {
        "source": report.source,
        "date": report.as_of.isoformat() if report.as_of else None,
        "outcome": report.outcome,
        "packages": report.packages,
        "go": report.go,
        "checked_at": report.checked_at.isoformat(),
        "expires": _expires(report),
        "findings": [str(finding) for finding in report.findings],
        "accepted": [str(finding) for finding in report.accepted],
        "problems": list(report.problems),
        "remarks": list(report.remarks),
    }


def _expires(report: Report) -> str | None:
    """The moment (ISO 8601, UTC) after which the ledger must not rely on the report, or None.

    An old snapshot is over already and stays what it is as long as nobody brings a newer one; what was accepted
    expires all the same.
    """
    last = report.borne_until if report.outcome == "stale" else report.valid_until
    return datetime.combine(last + timedelta(days=1), time.min, UTC).isoformat() if last else None


def keep(report: Report) -> Path:
    """Write the report where the verdict and the ledger read it, whole or not at all; returns its path."""
    folder = project.state() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{FILE}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document(report), file, indent=2)
    return Path(temporary).replace(folder / FILE)


def _what(report: Report) -> str:
    return "; ".join([*map(str, report.findings), *report.problems])


def _findings(report: Report) -> WrongStateError:
    lines = [*map(str, report.findings), *report.problems]
    packages = {finding.package for finding in report.findings}
    return WrongStateError(
        f"known advisories concern the lock: {', '.join(sorted(packages))}"
        if packages
        else "advisories.toml or a floor's advisory is not in order",
        where=f"uv.lock, against {report.source} of {report.as_of}",
        why="\n         ".join(lines),
        remedy=(
            "raise each package to its fixed version: `invoke security.floors --write` and `uv lock`; a Go module in "
            "toolchain/go/<tool>: go get module@version, go mod tidy"
        ),
    )


def no_source() -> MissingToolError:
    """The error for an audit that could not look."""
    return MissingToolError(
        "the lock was not held against any advisory: no advisory source in reach",
        why="FLOE_ADVISORIES is not set, and OSV's service does not answer from here",
        remedy="set FLOE_ADVISORIES to an OSV export (a folder with PyPI/all.zip, or the archive itself)",
    )


def _stale(report: Report) -> WrongStateError:
    return WrongStateError(
        "the advisory snapshot is too old to say that the lock is clean",
        where=report.source,
        why=f"its newest record is of {report.as_of}; it was good until {report.valid_until}",
        remedy="fetch a fresh OSV export, or pass --allow-stale-advisories and live with a stale verdict",
    )

"""The lock by pip-audit: what it found, and that it looked at every pin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops.audits import lock, sources
from floe_ops.audits.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path

AUDIT_S = 180.0
# pip-audit passes over such records with a warning; here that is a failure.
OVERSIGHTS = ("Unsupported OSV schema version", "is missing 'affected' list")


def run(folder: Path, url: str) -> dict[str, Any]:
    """pip-audit's JSON about `pylock.toml` in `folder`; it ends with 1 for findings and for its own faults alike.

    Raises:
        NotReadyError: It did not end in time.
        WrongStateError: It failed, or passed over a record.
    """
    output = folder / "audit.json"
    words = ["--locked", "--vulnerability-service", "osv", "--osv-url", url, "--format", "json"]
    words += ["--aliases", "on", "--desc", "off", "--progress-spinner", "off", "--output", str(output)]
    words += ["--cache-dir", str(folder / "cache"), str(folder)]
    environ = {**os.environ, **sources.without_proxy()}
    try:
        done = subprocess.run(  # noqa: S603 - our interpreter with words of our own
            [sys.executable, "-m", "pip_audit", *words],
            env=environ,
            capture_output=True,
            text=True,
            timeout=AUDIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(
            f"pip-audit did not end within {AUDIT_S:.0f} s", where=url, remedy="try again, or set FLOE_ADVISORIES"
        ) from error
    oversight = next((line for line in done.stderr.splitlines() if any(word in line for word in OVERSIGHTS)), None)
    if done.returncode not in (0, 1) or oversight or not output.is_file():
        why = oversight or _last_lines(done.stderr) or f"it ended with {done.returncode} and said nothing"
        raise WrongStateError("pip-audit could not finish its work", where=url, why=why)
    return dict(json.loads(output.read_text(encoding="utf-8")))


def _last_lines(text: str, count: int = 5) -> str:
    return "\n         ".join(text.strip().splitlines()[-count:])


def findings(answer: dict[str, Any], pins: frozenset[lock.Pin], project: Path) -> list[Finding]:
    """pip-audit's findings, once it is sure that it looked at every pin and at nothing else.

    Raises:
        WrongStateError: It skipped a pin, left one out, or looked at something else.
    """
    entries = answer["dependencies"]
    skipped = [f"{entry['name']} ({entry['skip_reason']})" for entry in entries if "skip_reason" in entry]
    looked = {lock.pin(entry["name"], entry["version"]) for entry in entries if "version" in entry}
    faults = [
        *(f"skipped: {text}" for text in sorted(skipped)),
        *(f"not looked at: {pin}" for pin in sorted(pins - looked)),
        *(f"looked at, but not in the lock: {pin}" for pin in sorted(looked - pins)),
    ]
    if faults:
        raise WrongStateError(
            "pip-audit did not look at exactly the packages of the lock",
            where=str(project / "uv.lock"),
            why="\n         ".join(faults),
            remedy="see what is special about these packages; an audit that leaves some out proves nothing",
        )
    return sorted(
        (
            Finding(
                lock.pin(entry["name"], entry["version"]).name,
                lock.pin(entry["name"], entry["version"]).version,
                vuln["id"],
                tuple(sorted(vuln.get("aliases", ()))),
                tuple(vuln["fix_versions"]),
            )
            for entry in entries
            for vuln in entry["vulns"]
        ),
        key=lambda finding: (finding.package, finding.id),
    )

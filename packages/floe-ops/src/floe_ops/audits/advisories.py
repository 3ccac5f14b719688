"""The lock against known advisories, by pip-audit; never green without having looked.

The lock is exported as `pylock.toml` with every group, extra and platform, pip-audit asks an OSV service about each
pin, and the pins it says it asked about must be exactly the third-party pins of `uv.lock`. (Over a requirements file
it leaves out packages whose marker is false here, and what it skips does not change its exit code.)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops.audits import accepted, lock
from floe_ops.audits.findings import Finding, Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIVE_URL = "https://api.osv.dev/v1/query"
PROBE_S = 3.0
AUDIT_S = 180.0
# A version whose advisories every live source knows since 2019: a source that finds nothing there is no source.
CANARY = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "2.10"}
# pip-audit passes over such records with a warning; here that is a failure.
OVERSIGHTS = ("Unsupported OSV schema version", "is missing 'affected' list")


@dataclass(frozen=True)
class Source:
    """An OSV service in reach: its query URL, its name for people, and the day of its newest advisory."""

    url: str
    title: str
    date: date


def audit(project: Path, *, environ: Mapping[str, str] | None = None, now: datetime | None = None) -> Report:
    """Hold the project's lock against the advisories of the source in reach.

    `FLOE_ADVISORIES` (an OSV export) is taken where it is set, else OSV's public service or the one that pip-audit's
    own `PIP_AUDIT_OSV_URL` names.

    Raises:
        MissingToolError: uv is missing, or `FLOE_ADVISORIES` points at nothing.
        WrongStateError: The snapshot is unusable, pip-audit failed, or it did not look at every pin.
        NotReadyError: pip-audit did not end in time.
    """
    environ, moment = environ if environ is not None else os.environ, now or datetime.now(UTC)
    policy = accepted.load(project / accepted.FILE)
    pins = lock.third_party(project / "uv.lock")
    with source(environ, moment) as found:
        if found is None:
            return Report("not_looked", "", None, 0, (), (), (), None, moment)
        with tempfile.TemporaryDirectory(prefix="floe-audit-") as scratch:
            folder = Path(scratch)
            lock.export(project, folder)
            answer = _pip_audit(folder, found.url)
    findings = _findings(answer, pins, project)
    return _judge(found, policy, findings, pins, moment)


@contextmanager
def source(environ: Mapping[str, str], now: datetime) -> Iterator[Source | None]:
    """The advisory source in reach while the block runs, or None; decides within `PROBE_S`."""
    named = environ.get("FLOE_ADVISORIES")
    if not named:
        url = environ.get("PIP_AUDIT_OSV_URL") or LIVE_URL
        yield Source(url, f"live, {url}", now.date()) if _answers(url) else None
        return
    from floe_ops.audits import osv_server, osv_snapshot

    snapshot = osv_snapshot.load(Path(named), now=now)
    with osv_server.serving(snapshot) as base:
        title = f"snapshot {snapshot.path} ({snapshot.count} records)"
        yield Source(f"{base}/v1/query", title, snapshot.date.date())


def _answers(url: str) -> bool:
    """Whether an OSV service answers there and knows the canary; name look-ups that hang are left behind."""
    answers: list[bool] = []

    def ask() -> None:
        import requests

        try:
            response = requests.post(url, json=CANARY, timeout=PROBE_S)
            answers.append(response.ok and bool(response.json().get("vulns")))
        except (requests.RequestException, ValueError, AttributeError):
            answers.append(False)

    thread = Thread(target=ask, daemon=True, name="probe-advisories")
    thread.start()
    thread.join(PROBE_S)
    return answers == [True]


def _pip_audit(folder: Path, url: str) -> dict[str, Any]:
    """pip-audit's JSON about `pylock.toml` in `folder`; it ends with 1 for findings and for its own faults alike."""
    output = folder / "audit.json"
    words = ["--locked", "--vulnerability-service", "osv", "--osv-url", url, "--format", "json"]
    words += ["--aliases", "on", "--desc", "off", "--progress-spinner", "off", "--output", str(output)]
    words += ["--cache-dir", str(folder / "cache"), str(folder)]
    environ = {**os.environ, "NO_PROXY": _without_proxy(), "no_proxy": _without_proxy()}
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


def _without_proxy() -> str:
    """The hosts to reach directly: those of the environment, and the loopback server."""
    named = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return ",".join(filter(None, (named, "127.0.0.1")))


def _last_lines(text: str, count: int = 5) -> str:
    return "\n         ".join(text.strip().splitlines()[-count:])


def _findings(answer: dict[str, Any], pins: frozenset[lock.Pin], project: Path) -> list[Finding]:
    """pip-audit's findings, once it is sure that it looked at every pin and at nothing else."""
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


def _judge(
    found: Source,
    policy: accepted.Policy,
    findings: list[Finding],
    pins: frozenset[lock.Pin],
    now: datetime,
) -> Report:
    today = now.date()
    last_fresh = found.date + timedelta(days=policy.max_age_days)
    stale = last_fresh < today
    problems = accepted.problems(policy, findings, pins, today, judge_unused=not stale)
    borne = tuple(f for f in findings if any(accepted.covers(entry, f) for entry in policy.accepted))
    open_ = tuple(f for f in findings if f not in borne)
    outcome: Outcome = "findings" if open_ or problems else "stale" if stale else "clean"
    borne_until = accepted.earliest_expiry(policy)
    until = min(filter(None, (last_fresh, borne_until)))
    return Report(outcome, found.title, found.date, len(pins), open_, borne, tuple(problems), until, now, borne_until)

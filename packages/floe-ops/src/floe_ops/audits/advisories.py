"""The lock and the Go tools against known advisories; never green without having looked.

The lock is exported as `pylock.toml` with every group, extra and platform, pip-audit asks an OSV service about each
pin, and the pins it says it asked about must be exactly the third-party pins of `uv.lock`. (Over a requirements file
it leaves out packages whose marker is false here, and what it skips does not change its exit code.) `uv audit` asks
the same service, and both must agree. The advisories that floors name are looked up there too.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from floe_ops.audits import accepted, go_modules, lock, pip_audit, sources, uv_audit
from floe_ops.audits.findings import Report
from floe_ops.audits.floors import held, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_ops.audits.findings import Finding, Outcome
    from floe_ops.audits.go_modules import Modules
    from floe_ops.audits.sources import Source


def audit(project: Path, *, environ: Mapping[str, str] | None = None, now: datetime | None = None) -> Report:
    """Hold the project's lock, and the modules of its Go tools, against the advisories of the source in reach.

    Raises:
        MissingToolError: uv is missing, or `FLOE_ADVISORIES` points at nothing.
        WrongStateError: The source is unusable, an auditor failed or did not look at every pin, or they disagree.
        NotReadyError: An auditor did not end in time.
    """
    environ, moment = environ if environ is not None else os.environ, now or datetime.now(UTC)
    policy = accepted.load(project / accepted.FILE)
    pins = lock.third_party(project / "uv.lock")
    with sources.in_reach(environ, moment) as found:
        if found is None:
            return Report("not_looked", "", None, 0, (), (), (), None, moment)
        with tempfile.TemporaryDirectory(prefix="floe-audit-") as scratch:
            folder = Path(scratch)
            lock.export(project, folder)
            answer = pip_audit.run(folder, found.url)
        findings = pip_audit.findings(answer, pins, project)
        uv_audit.agree(findings, uv_audit.run(project, found.base), len(pins), project)
        modules = go_modules.audit(project, found)
        wrong, remarks = held.by_source(listed.read(project).floors, found)
    report = judge(found, policy, findings, pins=pins, modules=modules, now=moment)
    if wrong:
        report = replace(report, outcome="findings", problems=(*report.problems, *wrong))
    return replace(report, remarks=tuple(remarks))


def judge(  # noqa: PLR0913 - each is a fact of its own, and the order is that of the work
    found: Source,
    policy: accepted.Policy,
    of_lock: list[Finding],
    *,
    pins: frozenset[lock.Pin],
    modules: Modules,
    now: datetime,
) -> Report:
    """What the findings mean under the project's policy, on the day `now`."""
    today, findings = now.date(), [*of_lock, *modules.findings]
    as_of = min(filter(None, (found.as_of, found.go_as_of)))
    last_fresh = as_of + timedelta(days=policy.max_age_days)
    stale = last_fresh < today
    looked = [*(accepted.Locked("PyPI", pin.name, pin.version) for pin in pins), *modules.locked]
    problems = accepted.problems(policy, findings, looked, today, judge_unused=not stale)
    borne = tuple(f for f in findings if any(accepted.covers(entry, f) for entry in policy.accepted))
    open_ = tuple(f for f in findings if f not in borne)
    outcome: Outcome = "findings" if open_ or problems else "stale" if stale else "clean"
    borne_until = accepted.earliest_expiry(policy)
    until = min(filter(None, (last_fresh, borne_until)))
    return Report(
        outcome, found.title, as_of, len(pins), open_, borne, problems, until, now, borne_until, modules.sentence
    )

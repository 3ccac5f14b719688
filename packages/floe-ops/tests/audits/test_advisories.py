from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import accepted, advisories, pip_audit, sources
from floe_ops.audits.go_modules import Modules
from floe_ops.audits.lock import Pin

if TYPE_CHECKING:
    pass

NOW = datetime(2026, 6, 16, tzinfo=UTC)
PINS = frozenset({Pin("jinja2", "2.10"), Pin("pillow", "9.0.0")})
VULN = {"id": "A-1", "aliases": ["CVE-1"], "fix_versions": ["2.10.1"]}


def answer(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(entries)}


JINJA = {"name": "Jinja2", "version": "2.10", "vulns": [VULN]}
PILLOW = {"name": "pillow", "version": "9.0.0", "vulns": []}


def test_findings_are_data_with_their_fix() -> None:
    (finding,) = pip_audit.findings(answer(PILLOW, JINJA), PINS, Path())
    assert str(finding) == "jinja2 2.10: A-1, CVE-1, fixed in 2.10.1"


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([JINJA], "not looked at: pillow 9.0.0"),
        ([JINJA, {"name": "pillow", "skip_reason": "not found"}], "skipped: pillow (not found)"),
        ([JINJA, {**PILLOW, "version": "9.0.1"}], "looked at, but not in the lock: pillow 9.0.1"),
    ],
)
def test_a_package_that_was_not_looked_at_fails_the_audit(entries: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(WrongStateError, match="exactly the packages of the lock") as caught:
        pip_audit.findings(answer(*entries), PINS, Path())
    assert why in caught.value.why


def judge(policy: accepted.Policy, entries: list[dict[str, Any]], as_of: date) -> Any:
    findings = pip_audit.findings(answer(*entries), PINS, Path())
    source = sources.Source("", "test", as_of)
    return advisories.judge(source, policy, findings, pins=PINS, modules=Modules((), (), ""), now=NOW)


@pytest.mark.parametrize(
    ("age_days", "vulnerable", "outcome"),
    [(0, False, "clean"), (7, False, "clean"), (8, False, "stale"), (0, True, "findings"), (800, True, "findings")],
)
def test_the_outcome_follows_findings_first_and_age_second(age_days: int, outcome: str, *, vulnerable: bool) -> None:
    entries: list[dict[str, Any]] = [JINJA if vulnerable else {**JINJA, "vulns": []}, PILLOW]
    report = judge(accepted.Policy(), entries, NOW.date() - timedelta(days=age_days))
    assert (report.outcome, report.packages) == (outcome, 2)


def test_an_accepted_finding_is_borne_and_its_expiry_bounds_the_report() -> None:
    entry = {"id": "CVE-1", "package": "jinja2", "fixed_in": "2.10.1", "reason": "templates are ours alone"}
    policy = accepted.Policy.model_validate({"accepted": [{**entry, "owner": "me", "expires": date(2026, 6, 18)}]})
    report = judge(policy, [JINJA, PILLOW], NOW.date())
    assert (report.outcome, report.findings, len(report.accepted)) == ("clean", (), 1)
    assert report.valid_until == date(2026, 6, 18)


def test_on_an_old_snapshot_the_accepted_finding_keeps_its_own_expiry() -> None:
    entry = {"id": "CVE-1", "package": "jinja2", "fixed_in": "2.10.1", "reason": "templates are ours alone"}
    policy = accepted.Policy.model_validate({"accepted": [{**entry, "owner": "me", "expires": date(2027, 1, 1)}]})
    report = judge(policy, [JINJA, PILLOW], NOW.date() - timedelta(days=8))
    assert (report.outcome, report.borne_until) == ("stale", date(2027, 1, 1))
    assert report.valid_until == NOW.date() - timedelta(days=1)


def test_a_fault_in_the_accepted_list_is_a_finding() -> None:
    entry = {"id": "CVE-9", "package": "jinja2", "fixed_in": "", "reason": "templates are ours alone"}
    policy = accepted.Policy.model_validate({"accepted": [{**entry, "owner": "me", "expires": date(2027, 1, 1)}]})
    report = judge(policy, [{**JINJA, "vulns": []}, PILLOW], NOW.date())
    assert report.outcome == "findings"
    assert "CVE-9 for jinja2 is unused" in report.problems[0]

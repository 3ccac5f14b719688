from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import accepted, advisories, osv_server, osv_snapshot
from floe_ops.audits.lock import Pin

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 6, 16, tzinfo=UTC)
PINS = frozenset({Pin("jinja2", "2.10"), Pin("pillow", "9.0.0")})
VULN = {"id": "A-1", "aliases": ["CVE-1"], "fix_versions": ["2.10.1"]}


def answer(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(entries)}


JINJA = {"name": "Jinja2", "version": "2.10", "vulns": [VULN]}
PILLOW = {"name": "pillow", "version": "9.0.0", "vulns": []}


def test_findings_are_data_with_their_fix() -> None:
    (finding,) = advisories._findings(answer(PILLOW, JINJA), PINS, Path())
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
        advisories._findings(answer(*entries), PINS, Path())
    assert why in caught.value.why


def judge(policy: accepted.Policy, entries: list[dict[str, Any]], as_of: date) -> Any:
    findings = advisories._findings(answer(*entries), PINS, Path())
    return advisories._judge(advisories.Source("", "test", as_of), policy, findings, PINS, NOW)


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


def test_no_source_in_reach_is_none_and_soon() -> None:
    start = datetime.now(UTC)
    with advisories.source({"PIP_AUDIT_OSV_URL": "http://127.0.0.1:1/v1/query"}, NOW) as found:
        assert found is None
    assert datetime.now(UTC) - start < timedelta(seconds=4)


def test_a_live_source_is_one_that_knows_the_canary(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    knowing = osv_snapshot.load(export(record("jinja2", fixed="2.10.1")), now=NOW)
    empty = osv_snapshot.load(export(record("other")), now=NOW)
    with osv_server.serving(knowing) as good, osv_server.serving(empty) as blind:
        with advisories.source({"PIP_AUDIT_OSV_URL": f"{good}/v1/query"}, NOW) as found:
            assert found is not None
            assert found.date == NOW.date()
        with advisories.source({"PIP_AUDIT_OSV_URL": f"{blind}/v1/query"}, NOW) as found:
            assert found is None


def test_a_snapshot_is_served_with_the_date_of_its_newest_record(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    with advisories.source({"FLOE_ADVISORIES": str(export(record("x")))}, NOW) as found:
        assert found is not None
        assert found.date == date(2026, 6, 15)
        assert found.title.endswith("all.zip (1 records)")

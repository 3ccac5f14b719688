from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from floe_ops import ledger, plan, verdict

START = 1_700_000_000_000_000_000
ENVIRON = {"FLOE_RUN_STARTED": str(START), "FLOE_TRACE_ID": "ab" * 16}
ALL = set(plan.load().sessions)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run in which every session passed and every due criterion of the local target has evidence."""
    folder = tmp_path / ".floe/run/r"
    folder.mkdir(parents=True)
    for session in plan.load().sessions.values():
        _session(folder, session.name)
    for criterion in plan.load().criteria.values():
        if plan.load().reach(criterion, "local") == "due":
            _fact(folder, criterion.id)
    return folder


def _session(run: Path, name: str, **state: Any) -> None:
    kept = {"session": name, "status": "passed", "started": START, "ended": START + 2_000_000_000, **state}
    (run / f"{plan.slug(name)}.session.json").write_text(json.dumps(kept))


def _fact(run: Path, criterion: str, status: str = "passed", evidence: str = "seen") -> None:
    session = next(one for one in plan.load().sessions.values() if one.unit == criterion.split("-", 1)[0])
    with (run / f"{session.slug}.evidence.jsonl").open("a") as sink:
        sink.write(json.dumps({"criterion": criterion, "status": status, "evidence": evidence}) + "\n")


def _assemble(run: Path, wanted: set[str] = ALL) -> verdict.Verdict:
    return verdict.assemble(run.parents[2], run, wanted, ENVIRON)


def _criterion(result: verdict.Verdict, name: str) -> verdict.CriterionResult:
    return next(one for unit in result.units for one in unit.criteria if one.id == name)


def _unit(result: verdict.Verdict, name: str) -> verdict.UnitResult:
    return next(unit for unit in result.units if unit.session == name)


def test_all_shown_is_passed_and_every_criterion_of_the_plan_appears_once(run: Path) -> None:
    result = _assemble(run)

    assert result.headline == "PASSED"
    assert sorted(one.id for unit in result.units for one in unit.criteria) == sorted(plan.load().criteria)
    assert _criterion(result, "WU1-AC1").status == "passed"
    assert _criterion(result, "WU1-AC7").status == "not_run"


def test_what_no_issue_has_delivered_yet_is_planned(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undelivered = replace(plan.load(), delivered=plan.load().delivered - {"D"})
    monkeypatch.setattr(plan, "load", lambda: undelivered)
    assert _criterion(_assemble(run), "WU3-AC5").status == "planned"


def test_a_due_criterion_without_evidence_fails(run: Path) -> None:
    (run / "plugins.evidence.jsonl").unlink()

    result = _assemble(run)

    assert result.headline == "FAILED"
    assert _criterion(result, "WU6-AC1").evidence == "nothing on target local showed it"


def test_one_failed_fact_outweighs_the_passed_ones(run: Path) -> None:
    _fact(run, "WU1-AC1", "failed", "base location is s3://other")

    criterion = _criterion(_assemble(run), "WU1-AC1")

    assert (criterion.status, criterion.evidence) == ("failed", "base location is s3://other")


def test_a_failure_is_told_by_what_the_task_left_and_its_dependents_are_blocked(run: Path) -> None:
    _session(run, "helm_bootstrap", status="failed", reason="exit code 4")
    failure = {"what": "the catalog differs", "where": "http://x", "why": "region", "remedy": ""}
    (run / "helm_bootstrap.failure.json").write_text(json.dumps(failure))
    for name in ("otel", "dbt_demo-iceberg", "dbt_demo", "final"):
        (run / f"{name}.session.json").unlink()

    result = _assemble(run)

    assert _unit(result, "helm_bootstrap").reason == "the catalog differs · http://x · region"
    assert _unit(result, "otel").reason == "helm_bootstrap failed"
    assert {name for name in ALL if _unit(result, name).status == "blocked"} == {
        "otel",
        "dbt_demo(iceberg)",
        "dbt_demo",
        "final",
    }


def test_a_session_that_was_still_running_is_failed(run: Path) -> None:
    _session(run, "security", status="running")

    assert _unit(_assemble(run), "security").status == "failed"


def test_no_advisory_source_is_incomplete_and_says_so(run: Path) -> None:
    (run / "security.evidence.jsonl").write_text("")
    for criterion in plan.load().criteria.values():
        if criterion.unit == "WU7" and criterion.id != "WU7-AC4":
            _fact(run, criterion.id)
    _fact(run, "WU7-AC4", "not_run", "no advisory source in reach, set FLOE_ADVISORIES")

    result = _assemble(run)

    assert result.headline == "INCOMPLETE: WU7-AC4 not run, no advisory source in reach, set FLOE_ADVISORIES"


def test_old_advisories_are_in_the_headline_with_source_and_date(run: Path) -> None:
    _fact(run, "WU7-AC4", "passed_stale", "2661 records")
    said = {"source": "snapshot", "date": "2024-10-10", "outcome": "stale", "packages": 3}
    (run.parent / "advisories.json").write_text(json.dumps(said))

    assert _assemble(run).headline == "PASSED on old advisories (snapshot, 2024-10-10)"


def test_what_is_up_to_date_is_told_from_the_ledger(run: Path) -> None:
    _session(run, "plugins", status="up_to_date", reason="passed at …")
    facts = ledger.evidence_of(run, "plugins")
    record = {"evidence": facts, "totals": {"passed": 3}}
    ledger_file = {"schema": ledger.SCHEMA, "sessions": {"plugins": record}}
    (run.parents[1] / "ledger.json").write_text(json.dumps(ledger_file))
    (run / "plugins.evidence.jsonl").unlink()

    result = _assemble(run)

    assert _criterion(result, "WU6-AC1").status == "up_to_date"
    assert result.headline == "PASSED"
    assert result.totals["passed"] == 3


def test_the_critical_path_is_the_longest_chain(run: Path) -> None:
    _session(run, "helm_bootstrap", ended=START + 10_000_000_000)
    _session(run, "dbt_demo(iceberg)", ended=START + 5_000_000_000)

    assert _assemble(run).critical_path_s == 10 + 5 + 2 + 2


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [("final", ALL), ("otel", {"otel", "helm_bootstrap"}), ("", set()), ("dbt_demo(duckdb)", {"dbt_demo(duckdb)"})],
)
def test_requested(asked: str, wanted: set[str]) -> None:
    assert verdict.requested({"FLOE_RUN_ASKED": asked}) == wanted


def test_a_lane_alone_does_not_judge_its_whole_unit(run: Path) -> None:
    result = _assemble(run, {"dbt_demo(duckdb)"})

    assert [unit.criteria for unit in result.units] == [[]]
    assert result.headline == "PASSED"


def test_plain_names_every_session_and_the_headline(run: Path) -> None:
    text = verdict.plain(_assemble(run))

    assert all(name in text for name in ALL)
    assert text.endswith("PASSED")


def test_only_the_newest_runs_are_kept(run: Path) -> None:
    names = [f"20261123T1200{second:02}-4194305" for second in range(verdict.KEPT_RUNS + 5)]
    living = f"20261123T110000-{os.getpid()}"
    for name in [*names, "platform", living]:
        (run.parent / name).mkdir()

    verdict._prune(run)

    left = sorted(path.name for path in run.parent.iterdir())
    assert left == sorted([*names[5:], "platform", "r", living])

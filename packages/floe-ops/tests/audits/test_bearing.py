from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import FloeError
from floe_ops.audits import bearing
from floe_ops.audits.findings import Finding, Report

if TYPE_CHECKING:
    from pathlib import Path

FINDING = Finding("pillow", "9.0.0", "PYSEC-1", ("GHSA-1",), ("9.0.1",))


def report(outcome: Any, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "outcome": outcome,
        "source": "snapshot x",
        "as_of": date(2026, 6, 15),
        "packages": 3,
        "findings": (FINDING,) if outcome == "findings" else (),
        "accepted": (),
        "problems": (),
        "valid_until": date(2026, 6, 22),
        "checked_at": datetime(2026, 6, 16, tzinfo=UTC),
    }
    return Report(**{**values, **changes})


@pytest.mark.parametrize(
    ("outcome", "environ", "status", "code"),
    [
        ("clean", {}, "passed", None),
        ("clean", {"CI": "true"}, "passed", None),
        ("findings", {}, "failed", 4),
        ("findings", {"FLOE_FINAL": "1", "FLOE_ALLOW_STALE": "1"}, "failed", 4),
        ("stale", {}, "passed_stale", None),
        ("stale", {"CI": "true"}, "failed", 4),
        ("stale", {"CI": "true", "FLOE_FINAL": "1"}, "failed", 4),
        ("stale", {"CI": "true", "FLOE_ALLOW_STALE": "1"}, "passed_stale", None),
        ("not_looked", {}, "failed", 5),
        ("not_looked", {"FLOE_FINAL": "1"}, "not_run", None),
        ("not_looked", {"FLOE_FINAL": "1", "CI": "true"}, "failed", 5),
        ("not_looked", {"FLOE_FINAL": "1", "CI": "true", "FLOE_ALLOW_STALE": "1"}, "failed", 5),
        ("not_looked", {"FLOE_FINAL": ""}, "failed", 5),
    ],
)
def test_what_an_outcome_means_here(outcome: str, environ: dict[str, str], status: str, code: int | None) -> None:
    settled = bearing.settle(report(outcome), bearing.Place.of(environ))
    assert settled.status == status
    assert (settled.error.exit_code if isinstance(settled.error, FloeError) else None) == code


def test_the_flag_of_the_task_is_as_good_as_the_environment() -> None:
    place = bearing.Place.of({"CI": "true"}, allow_stale=True)
    assert bearing.settle(report("stale"), place).status == "passed_stale"


def test_what_was_not_looked_at_says_how_to_look() -> None:
    settled = bearing.settle(report("not_looked"), bearing.Place(ci=False, final=True, allow_stale=False))
    assert settled.sentence == "no advisory source in reach, set FLOE_ADVISORIES"


def test_a_stale_pass_says_source_and_date() -> None:
    settled = bearing.settle(report("stale"), bearing.Place.of({}))
    assert "snapshot x of 2026-06-15" in settled.sentence


def test_findings_name_package_version_advisory_and_fix() -> None:
    error = bearing.settle(report("findings"), bearing.Place.of({})).error
    assert "pillow 9.0.0: PYSEC-1, GHSA-1, fixed in 9.0.1" in str(error)


def test_the_report_is_kept_whole_with_the_moment_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    path = bearing.keep(report("clean"))
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert path == tmp_path / ".floe" / "run" / "advisories.json"
    assert (kept["source"], kept["date"], kept["outcome"], kept["packages"]) == ("snapshot x", "2026-06-15", "clean", 3)
    assert kept["expires"] == "2026-06-23T00:00:00+00:00"
    assert [entry.name for entry in path.parent.iterdir()] == ["advisories.json"]


def test_what_was_accepted_expires_also_on_an_old_snapshot() -> None:
    assert bearing.document(report("stale"))["expires"] is None
    borne = report("stale", borne_until=date(2026, 8, 31))
    assert bearing.document(borne)["expires"] == "2026-09-01T00:00:00+00:00"

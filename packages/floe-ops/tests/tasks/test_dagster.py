from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import ExitCode, WrongStateError
from floe_ops import launching, targets
from floe_ops.audits import dagster_api, dagster_lock, dagster_newest
from floe_ops.audits.dagster_api import Report, Row
from floe_ops.audits.dagster_lock import LockedLibraries
from floe_ops.audits.dagster_newest import Newest
from floe_ops.tasks import dagster
from invoke.context import Context
from invoke.exceptions import Exit

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Row("a.py", 1, "dagster.asset", "", "ga", "", "ok", "")
BAD = Row("a.py", 2, "dagster.SourceAsset", "", "deprecated", "2.0.0", "fail", "gone")


@pytest.fixture(autouse=True)
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOE_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("FLOE_SESSION", "dagster_migrate")
    monkeypatch.setattr(dagster_lock, "check_lock", lambda _root: LockedLibraries({"dagster": "1.13.27"}, 200))
    monkeypatch.setattr(dagster_lock, "check_pins", lambda _root: "pinned")
    return tmp_path


def evidence(run_dir: Path) -> dict[str, str]:
    path = run_dir / "dagster_migrate.evidence.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {fact["criterion"]: fact["status"] for fact in map(json.loads, lines)}


def answer(monkeypatch: pytest.MonkeyPatch, *rows: Row) -> list[tuple[Path, bool]]:
    asked: list[tuple[Path, bool]] = []

    def audit(path: Path, *, run: bool) -> Report:
        asked.append((path, run))
        return Report(str(path), 1, {"dagster": "1.13.27"}, list(rows))

    monkeypatch.setattr(dagster_api, "audit", audit)
    return asked


def test_the_plugin_by_default_with_evidence_for_both_criteria(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answer(monkeypatch, GOOD)
    dagster.audit.body(Context())
    assert asked[0][0].as_posix().endswith(dagster.PLUGIN)
    assert asked[0][1]
    assert evidence(run_dir) == {"WU3-AC3": "passed", "WU3-AC2": "passed", "WU3-AC1": "passed"}
    out = capsys.readouterr().out
    assert "dagster.asset" in out
    assert "1 files, 1 Dagster names, 0 parameters: 0 findings, 0 to watch (dagster 1.13.27)" in out


def test_findings_end_with_four_and_are_evidence(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, GOOD, BAD)
    with pytest.raises(Exit) as caught:
        dagster.audit.body(Context())
    assert caught.value.code == 4
    assert "a.py:2 dagster.SourceAsset deprecated (breaks in 2.0.0): gone" in str(caught.value.message)
    assert evidence(run_dir) == {"WU3-AC3": "failed"}


def test_another_package_is_audited_without_touching_the_evidence(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answer(monkeypatch, GOOD)
    dagster.audit.body(Context(), path=str(tmp_path), json=True, static=True)
    assert asked == [(tmp_path, False)]
    assert json.loads(capsys.readouterr().out)["figures"]["findings"] == 0
    assert evidence(run_dir) == {}


@pytest.mark.parametrize("as_json", [False, True])
def test_what_the_index_has_is_told_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    answer(monkeypatch, GOOD)
    monkeypatch.setattr(dagster_newest, "newest", lambda: Newest("2.0.1", "1.13.27"))
    dagster.audit.body(Context(), json=as_json, newest=True)
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out)["newest"] == {"version": "2.0.1", "installed": "1.13.27", "why": ""}
    else:
        assert "dagster 2.0.1 is on the index" in out


def test_without_a_dagster_the_way_to_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOE_DAGSTER_URL", raising=False)
    monkeypatch.setattr(targets, "current", lambda: SimpleNamespace(find=lambda: None))
    with pytest.raises(Exit) as caught:
        dagster.status.body(Context())
    assert caught.value.code == ExitCode.MISSING
    assert "no platform runs" in str(caught.value.message)
    with pytest.raises(Exit):
        dagster.launch.body(Context(), "shop_build")


def test_a_named_dagster_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[Any, ...]] = []

    def launched(*words: Any) -> list[str]:
        asked.append(words)
        return ["launched"]

    monkeypatch.setenv("FLOE_DAGSTER_URL", "http://dagster")
    monkeypatch.setattr(launching, "launch", launched)
    dagster.launch.body(Context(), "shop_build", location="shop", assets="a/b,,c/d", timeout="7")
    assert asked == [("http://dagster", "shop_build", "shop", ["a/b", "c/d"], 7.0)]
    assert capsys.readouterr().out == "launched\n"


def test_a_lock_that_does_not_fit_fails_the_second_criterion(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, GOOD)

    def stale(_root: Path) -> LockedLibraries:
        raise WrongStateError("the lock does not fit the projects")

    monkeypatch.setattr(dagster_lock, "check_lock", stale)
    with pytest.raises(Exit):
        dagster.audit.body(Context())
    assert evidence(run_dir) == {"WU3-AC3": "passed", "WU3-AC2": "failed"}

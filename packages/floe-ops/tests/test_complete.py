from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from floe_ops import complete, plan
from floe_ops.verdict import CriterionResult, UnitResult, Verdict

COMMIT = "c" * 40
ALL = plan.load().criteria


def verdict(target: str, commit: str = COMMIT, **statuses: str) -> Verdict:
    criteria = [CriterionResult(key.replace("_", "-"), "", (), status, "seen") for key, status in statuses.items()]
    unit = UnitResult("WU1", "helm_bootstrap", 1, (), "passed", 0.0, 1.0, "", criteria)
    return Verdict(1, "PASSED", "r", "", commit, target, "", "", 1.0, 1.0, [unit], {}, {})


def status(root: Path, criterion: str, commit: str = COMMIT) -> complete.Joined:
    return next(one for one in complete.join(root, commit) if one.id == criterion)


def test_what_a_cluster_alone_can_show_counts_beside_what_a_desk_has_shown(tmp_path: Path) -> None:
    complete.keep(tmp_path, verdict("local", WU1_AC1="passed", WU1_AC7="not_run"))
    complete.keep(tmp_path, verdict("cluster", WU1_AC7="up_to_date"))
    assert status(tmp_path, "WU1-AC1").status == "shown"
    assert status(tmp_path, "WU1-AC7").targets == ("cluster",)
    assert {one.id for one in complete.join(tmp_path, COMMIT)} == set(ALL)


def test_runs_of_one_commit_add_up_and_another_commit_starts_anew(tmp_path: Path) -> None:
    complete.keep(tmp_path, verdict("local", WU1_AC1="passed"))
    complete.keep(tmp_path, verdict("local", WU1_AC2="passed_stale"))
    assert {status(tmp_path, one).status for one in ("WU1-AC1", "WU1-AC2")} == {"shown"}
    complete.keep(tmp_path, verdict("local", "d" * 40, WU1_AC2="passed"))
    assert status(tmp_path, "WU1-AC1").status == "not_run"
    assert status(tmp_path, "WU1-AC1", "d" * 40).status == "not_run"
    assert status(tmp_path, "WU1-AC2", "d" * 40).status == "shown"


@pytest.mark.parametrize("bad", ["failed", "blocked"])
def test_a_failure_on_one_target_is_not_healed_by_the_other(tmp_path: Path, bad: str) -> None:
    complete.keep(tmp_path, verdict("local", WU1_AC1="passed"))
    complete.keep(tmp_path, verdict("cluster", WU1_AC1=bad))
    assert status(tmp_path, "WU1-AC1") == complete.Joined(
        "WU1-AC1", ALL["WU1-AC1"].title, "failed", ("cluster",), "seen"
    )


def test_a_later_run_says_what_holds_now(tmp_path: Path) -> None:
    complete.keep(tmp_path, verdict("local", WU1_AC1="failed"))
    complete.keep(tmp_path, verdict("local", WU1_AC1="passed"))
    assert status(tmp_path, "WU1-AC1").status == "shown"


def test_what_nothing_showed_names_the_commands_that_would(tmp_path: Path) -> None:
    assert "--target cluster" in status(tmp_path, "WU1-AC7").evidence
    assert "./noxw -s final or" in status(tmp_path, "WU1-AC1").evidence


@pytest.mark.parametrize("text", ["", "[]", '{"commit": "%s"}', '{"commit": "%s", "criteria": 3}'])
def test_a_file_that_was_cut_off_has_shown_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".floe/report/targets/local.json"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("%s", COMMIT))
    assert status(tmp_path, "WU1-AC1").status == "not_run"
    complete.keep(tmp_path, verdict("local", WU1_AC1="passed"))
    assert json.loads(path.read_text())["criteria"]["WU1-AC1"]["status"] == "passed"


def test_a_planned_criterion_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undelivered: Callable[[], plan.Plan] = lambda: plan.Plan(frozenset(), {}, {}, {}, ALL)  # noqa: E731
    monkeypatch.setattr(plan, "load", undelivered)
    assert status(tmp_path, "WU1-AC1").status == "planned"

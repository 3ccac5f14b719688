from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import accepted
from floe_ops.audits.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 6, 15)
FINDING = Finding("pillow", "9.0.0", "PYSEC-1", ("CVE-1", "GHSA-1"), ("9.0.1",))
LOCKED = [accepted.Locked("PyPI", "pillow", "9.0.0")]


def policy(**changes: Any) -> accepted.Policy:
    entry = {
        "id": "CVE-1",
        "package": "Pillow",
        "fixed_in": "9.0.1",
        "reason": "the reader concerned is not used here",
        "owner": "platform",
        "expires": TODAY,
        **changes,
    }
    return accepted.Policy.model_validate({"accepted": [entry]})


def judge(chosen: accepted.Policy, findings: list[Finding], *, judge_unused: bool = True) -> list[str]:
    return list(accepted.problems(chosen, findings, LOCKED, TODAY, judge_unused=judge_unused))


def test_an_entry_covers_its_finding_by_id_or_alias_until_its_last_day() -> None:
    for name in ("PYSEC-1", "CVE-1", "GHSA-1"):
        chosen = policy(id=name)
        assert accepted.covers(chosen.accepted[0], FINDING)
        assert judge(chosen, [FINDING]) == []
    assert not accepted.covers(policy(id="CVE-2").accepted[0], FINDING)
    assert not accepted.covers(policy(package="pil").accepted[0], FINDING)


def test_an_expired_entry_is_a_problem() -> None:
    (problem,) = judge(policy(expires=TODAY - timedelta(days=1)), [FINDING])
    assert problem == "CVE-1 for pillow expired on 2026-06-14 (owner: platform)"


def test_an_unused_entry_is_a_problem_unless_the_source_is_too_old_to_know() -> None:
    (problem,) = judge(policy(), [])
    assert "CVE-1 for pillow is unused" in problem
    assert judge(policy(), [], judge_unused=False) == []


def test_an_entry_for_a_package_that_is_not_locked_is_a_problem() -> None:
    (problem,) = judge(policy(package="diskcache", fixed_in=""), [FINDING], judge_unused=False)
    assert "diskcache, which the lock does not hold" in problem


def test_an_entry_that_the_lock_has_outgrown_is_a_problem() -> None:
    (problem,) = judge(policy(fixed_in="9.0"), [FINDING])
    assert "fixed in pillow 9.0 and the lock has 9.0.0" in problem


def test_an_entry_accepted_twice_is_a_problem() -> None:
    twice = accepted.Policy(accepted=policy().accepted * 2)
    assert judge(twice, [FINDING]) == ["CVE-1 for pillow is accepted twice"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("max_age_days = 0", "max_age_days"),
        ("max_days = 7", "max_days"),
        ("[[accepted]]\nid = 'CVE-1'", "accepted.0.package"),
        ("[[accepted]", "line 1"),
    ],
)
def test_a_file_with_unknown_or_missing_words_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / accepted.FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        accepted.load(path)
    assert why in caught.value.why


def test_a_project_without_the_file_accepts_nothing_and_takes_seven_days(tmp_path: Path) -> None:
    assert accepted.load(tmp_path / accepted.FILE) == accepted.Policy(max_age_days=7, accepted=())


def test_an_entry_for_a_go_module_is_judged_where_modules_were_looked_at() -> None:
    chosen = policy(package="golang.org/x/net", fixed_in="0.30.0", ecosystem="Go")
    found = Finding("golang.org/x/net", "0.29.0", "GO-1", ("CVE-1",), ("0.30.0",), "Go", ("crane",))
    assert accepted.covers(chosen.accepted[0], found)
    assert not accepted.covers(policy(package="golang.org/x/net").accepted[0], found)
    modules = [accepted.Locked("Go", "golang.org/x/net", version) for version in ("0.29.0", "0.31.0")]
    assert judge(chosen, []) == []
    assert accepted.problems(chosen, [found], modules, TODAY, judge_unused=True) == ()
    (problem,) = accepted.problems(chosen, [], modules[1:], TODAY, judge_unused=False)
    assert "fixed in golang.org/x/net 0.30.0 and the lock has 0.31.0" in problem
    (problem,) = accepted.problems(chosen, [], [accepted.Locked("Go", "other", "1.0.0")], TODAY, judge_unused=True)
    assert "which no Go tool is built with" in problem

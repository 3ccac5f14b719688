"""The graph: every unit broken in turn, side by side or not, leaves a verdict that names it and what it blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_ops import plan

if TYPE_CHECKING:
    from conftest import Checkout

SESSIONS = list(plan.load().sessions)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("broken", SESSIONS)
def test_a_broken_unit_is_named_its_dependents_blocked_and_the_others_finish(
    checkout: Checkout, broken: str, jobs: str
) -> None:
    done = checkout.nox("final", options=("-j", jobs), BREAK=broken)

    assert done.returncode == 1
    the_plan = plan.load()
    for unit in checkout.verdict()["units"]:
        if unit["session"] == broken:
            assert (unit["status"], unit["reason"]) == ("failed", "a planted failure · here.py:1")
        elif broken in the_plan.prerequisites(unit["session"]):
            assert unit["status"] == "blocked"
        else:
            assert unit["status"] == "passed"
    assert checkout.verdict()["headline"] == "FAILED"


def test_nothing_changed_is_up_to_date_and_a_change_runs_what_it_touches(checkout: Checkout) -> None:
    checkout.nox("final")
    assert set(checkout.statuses().values()) == {"passed"}

    again = checkout.nox("final")
    assert set(checkout.statuses().values()) == {"up_to_date"}
    assert "a line from" not in again.stdout

    (checkout.path / "demo/model.sql").write_text("select 2")
    checkout.nox("final")
    ran = {name for name, status in checkout.statuses().items() if status == "passed"}
    demo = {name for name, session in plan.load().sessions.items() if {"demo", "**"} & set(session.inputs)}
    assert ran == demo
    assert {"security", "final"} < ran < set(SESSIONS)
    because = [unit["reason"] for unit in checkout.verdict()["units"] if unit["session"] == "plugins"]
    assert because == ["changed: demo/model.sql"]


@pytest.mark.parametrize(("words", "environ"), [(("--", "--force"), {}), ((), {"CI": "true"})])
def test_force_and_ci_run_everything(checkout: Checkout, words: tuple[str, ...], environ: dict[str, str]) -> None:
    checkout.nox("final")

    done = checkout.nox("final", *words, **environ)

    assert done.returncode == 0
    assert set(checkout.statuses().values()) == {"passed"}


@pytest.mark.parametrize("options", [("-j", "2"), ("-j2",), ("--parallel=2",), ()])
def test_lines_of_a_parallel_run_are_shown_under_their_session(checkout: Checkout, options: tuple[str, ...]) -> None:
    done = checkout.nox("final", options=options)

    assert done.stdout.count("a line from plugins") == 1
    assert any(line.strip() == "plugins │ a line from plugins" for line in done.stdout.splitlines())


def test_one_unit_alone_leaves_the_verdict_of_final_as_it_was(checkout: Checkout) -> None:
    checkout.nox("final")
    before = checkout.verdict()

    done = checkout.nox("plugins", options=(), BREAK="plugins", CI="true")

    assert done.returncode == 1
    assert "a planted failure" in done.stdout
    assert checkout.verdict() == before

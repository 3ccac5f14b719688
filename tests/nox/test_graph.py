"""The graph: every unit broken in turn, side by side or not, leaves a verdict that names it and what it blocked."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from floe_ops import inputs, plan

if TYPE_CHECKING:
    from tests.nox.conftest import Checkout

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
    changed = {"demo/model.sql": ""}
    touched = {name for name, session in plan.load().sessions.items() if inputs.select(changed, session.inputs)}
    assert ran == touched
    assert {"security", "final"} < ran < set(SESSIONS)
    because = [unit["reason"] for unit in checkout.verdict()["units"] if unit["session"] == "plugins"]
    assert because == ["changed: demo/model.sql"]


@pytest.mark.parametrize(("words", "environ"), [(("--", "--force"), {}), ((), {"CI": "true"})])
def test_force_and_ci_run_everything(checkout: Checkout, words: tuple[str, ...], environ: dict[str, str]) -> None:
    checkout.nox("final")

    done = checkout.nox("final", *words, options=(), **environ)

    assert done.returncode == 0
    assert set(checkout.statuses().values()) == {"passed"}


@pytest.mark.parametrize("options", [("-j", "2"), ("-j2",), ("--parallel=2",), ()])
def test_lines_of_a_parallel_run_are_shown_under_their_session(checkout: Checkout, options: tuple[str, ...]) -> None:
    done = checkout.nox("final", options=options)

    said = "a line from plugins, final [1], target local"
    assert done.stdout.count("a line from plugins,") == 1
    assert any(line.strip() == f"plugins │ {said}" for line in done.stdout.splitlines())


def test_on_a_cluster_the_sessions_share_one_release_and_follow_one_another(checkout: Checkout) -> None:
    done = checkout.nox("final", FLOE_TARGET="cluster")
    assert done.returncode == 0
    assert "│" not in done.stdout


def test_one_unit_alone_leaves_the_verdict_of_final_as_it_was(checkout: Checkout) -> None:
    checkout.nox("final")
    before = checkout.verdict()

    done = checkout.nox("plugins", options=(), BREAK="plugins", CI="true")

    assert done.returncode == 1
    assert "a planted failure" in done.stdout
    assert checkout.verdict() == before


@pytest.mark.parametrize(
    ("words", "ran"),
    [
        (("-s", "plugins"), {"plugins"}),
        (("-splugins", "--", "--target", "local"), {"plugins"}),
        (("-t", "phase1"), {name for name, session in plan.load().sessions.items() if session.phase == 1}),
        (("-e", "otel"), {"helm_bootstrap", "otel"}),
        (("-s", "dbt_demo(duckdb)"), {"dbt_demo(duckdb)"}),
    ],
)
def test_only_final_by_name_judges_the_whole_plan(checkout: Checkout, words: tuple[str, ...], ran: set[str]) -> None:
    checkout.path = checkout.path.rename(checkout.path.with_name("a final checkout"))
    checkout.renew()

    done = subprocess.run(
        [*checkout.words()[:-1], *words], env=checkout.env(), capture_output=True, text=True, check=True
    )

    assert checkout.ran == ran
    assert "final []" in done.stdout
    assert "blocked" not in done.stdout
    assert not (checkout.path / ".floe/report/verdict.json").exists()


@pytest.mark.parametrize("words", [("-s", "finall"), ("-l",), ("-s", "plugins", "--", "--forced")])
def test_what_runs_no_session_leaves_nothing(checkout: Checkout, words: tuple[str, ...]) -> None:
    subprocess.run([*checkout.words()[:-1], *words], env=checkout.env(), capture_output=True, check=False)

    assert not (checkout.path / ".floe/run").exists()
    assert not (checkout.path / ".floe/report").exists()


def test_another_target_reaches_the_tasks(checkout: Checkout) -> None:
    assert "target elsewhere" in checkout.nox("plugins", "--", "--target", "elsewhere").stdout

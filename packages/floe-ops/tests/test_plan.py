from __future__ import annotations

from floe_ops import plan


def test_every_task_belongs_to_a_criterion_and_every_criterion_names_tasks_that_are() -> None:
    the_plan = plan.load()

    named = {task for criterion in the_plan.criteria.values() for task in criterion.tasks}
    assert named == set(the_plan.tasks)
    assert set(the_plan.tasks) == {f"T{number}" for number in range(1, 49)}


def test_requirements_are_sessions_of_an_earlier_or_the_same_phase_and_come_first() -> None:
    the_plan = plan.load()
    order = list(the_plan.sessions)

    for session in the_plan.sessions.values():
        for name in session.requires:
            assert order.index(name) < order.index(session.name)
            assert the_plan.sessions[name].phase <= session.phase


def test_final_requires_every_other_session() -> None:
    the_plan = plan.load()

    assert the_plan.prerequisites("final") == set(the_plan.sessions) - {"final"}


def test_reach_tells_due_planned_and_elsewhere_apart() -> None:
    loaded = plan.load()
    only_a = plan.Plan(frozenset("A"), loaded.units, loaded.sessions, loaded.tasks, loaded.criteria)
    everything = plan.Plan(frozenset("ABCDE"), loaded.units, loaded.sessions, loaded.tasks, loaded.criteria)
    pods = loaded.criteria["WU2-AC3"]

    assert only_a.reach(loaded.criteria["WU1-AC1"], "local") == "due"
    assert only_a.reach(pods, "cluster") == "planned"
    assert everything.reach(pods, "local") == "elsewhere"
    assert everything.reach(pods, "cluster") == "due"


def test_slug_is_a_file_name() -> None:
    assert plan.slug("dbt_demo(duckdb)") == "dbt_demo-duckdb"

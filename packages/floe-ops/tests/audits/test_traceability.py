from __future__ import annotations

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import traceability
from floe_ops.audits.collected import Test
from floe_ops.plan import Criterion, Plan


def criterion(name: str, due: str = "A", targets: tuple[str, ...] = ("local", "cluster")) -> Criterion:
    return Criterion(name, f"title of {name}", (), targets, due)


PLAN = Plan(
    frozenset({"A"}),
    {},
    {},
    {},
    {
        "WU1-AC1": criterion("WU1-AC1"),
        "WU1-AC2": criterion("WU1-AC2"),
        "WU1-AC3": criterion("WU1-AC3", due="C"),
        "WU1-AC4": criterion("WU1-AC4", targets=("cluster",)),
    },
)


def test_every_due_criterion_with_a_test_is_coverage() -> None:
    tests = [Test("tests/e2e/a::a", ("WU1-AC1", "WU1-AC2"), ()), Test("packages/a::b", ("WU1-AC1",), ())]
    coverage = traceability.audit([*tests, Test("packages/a::c", (), ())], PLAN, "local")
    assert coverage.tests == {"WU1-AC1": ("tests/e2e/a::a", "packages/a::b"), "WU1-AC2": ("tests/e2e/a::a",)}


def test_unknown_ids_uncovered_criteria_and_e2e_tests_without_one_are_all_listed() -> None:
    tests = [Test("tests/e2e/a::a", ("WU1-AC1", "WU9-AC9"), ()), Test("tests/e2e/a::b", (), ())]
    with pytest.raises(WrongStateError) as caught:
        traceability.audit(tests, PLAN, "local")
    assert caught.value.why.split("\n         ") == [
        "unknown criterion WU9-AC9: tests/e2e/a::a",
        "an e2e test that proves no criterion: tests/e2e/a::b",
        "due and without a test: WU1-AC2 (title of WU1-AC2)",
    ]


def test_another_target_has_other_due_criteria() -> None:
    tests = [Test("tests/e2e/a::a", ("WU1-AC1", "WU1-AC2"), ())]
    with pytest.raises(WrongStateError) as caught:
        traceability.audit(tests, PLAN, "cluster")
    assert caught.value.why == "due and without a test: WU1-AC4 (title of WU1-AC4)"


def test_a_test_that_is_not_run_on_the_target_covers_nothing_there() -> None:
    tests = [
        Test("tests/e2e/a::a", ("WU1-AC1", "WU1-AC2"), ()),
        Test("tests/e2e/a::b", ("WU1-AC4",), (), ("local",)),
        Test("tests/e2e/a::c", ("WU1-AC4",), (), ("cluster",)),
    ]
    assert "WU1-AC4" in traceability.audit(tests, PLAN, "cluster").tests
    with pytest.raises(WrongStateError, match="criteria and tests do not match"):
        traceability.audit(tests[:2], PLAN, "cluster")

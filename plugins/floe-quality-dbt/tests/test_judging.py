"""Scores and verdicts: thresholds by group, weights, required tests, and what no threshold forgives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from floe_core.plugins import DbtCommand, DbtNode, DbtResult, DbtTest, Dimension, QualityFinding, QualityReport
from floe_quality_dbt.config import DbtQualityConfig
from floe_quality_dbt.judging import judge
from hypothesis import given, settings
from hypothesis import strategies as st

STATUSES = ["pass", "success", "warn", "fail", "error", "runtime error", "skipped", "partial success", "no-op", ""]


def node(name: str, status: str = "pass", *, kind: str = "not_null", rows: int | None = None, **asks: Any) -> DbtNode:
    asked = DbtTest(kind, **{"model": "orders", **asks})
    return DbtNode(f"test.shop.{name}", name, "test", status, rows=rows, path="models/schema.yml", test=asked)


def judged(*nodes: DbtNode, command: DbtCommand = DbtCommand.TEST, **config: Any) -> QualityReport:
    result = DbtResult(command, success=True, elapsed_s=0.1, nodes=nodes)
    return judge(result, DbtQualityConfig.model_validate(config))


def test_by_default_the_verdict_is_that_of_dbt() -> None:
    warned = judged(node("a"), node("b", "warn", severity="warn", rows=2))
    assert (warned.passed, warned.score, warned.failures) == (True, 1.0, ())
    assert [one.check for one in warned.findings] == ["b"]
    failed = judged(node("a"), node("b", "fail", rows=2))
    assert (failed.passed, failed.score) == (False, 0.5)
    assert failed.failures == (
        "the score is 0.500, 1 is asked (1 of 2 tests passed)",
        "test b on orders failed: 2 wrong rows, see models/schema.yml",
    )


def test_the_score_is_a_weighted_share() -> None:
    nodes = [node("a", kind="unique"), node("b", "fail", kind="unique"), node("c", severity="warn")]
    assert judged(*nodes).score == pytest.approx(1.5 / 2.5)
    assert judged(*nodes, severity_weights={"error": 1, "warn": 1}).score == pytest.approx(2 / 3)
    assert judged(*nodes, severity_weights={"error": 1}).score == pytest.approx(2 / 3)
    assert judged(*nodes, dimension_weights={"uniqueness": 3}).score == pytest.approx(3.5 / 6.5)


@pytest.mark.parametrize(("credit", "score"), [(0, 0.5), (0.5, 0.75), (1, 1.0)])
def test_a_warning_earns_what_the_platform_says(credit: float, score: float) -> None:
    assert judged(node("a"), node("b", "warn"), warn_credit=credit, min_score=0).score == score


NINETEEN = [node(f"t{number}") for number in range(19)]


def test_a_threshold_is_met_to_the_point() -> None:
    assert judged(*NINETEEN, node("x", "fail"), min_score=0.95).passed
    assert not judged(*NINETEEN[1:], node("x", "fail"), min_score=0.95).passed
    # In binary fractions these seven of nine come to a little less than 7/9.
    ninths = [node(f"t{number}") for number in range(7)] + [node("x", "fail"), node("y", "fail")]
    weights: dict[str, Any] = {"severity_weights": {"error": 0.7}, "dimension_weights": {"completeness": 0.5}}
    assert judged(*ninths, min_score=7 / 9, **weights).score < 7 / 9
    assert judged(*ninths, min_score=7 / 9, **weights).passed


@pytest.mark.parametrize(
    ("config", "asks", "words"),
    [
        ({"min_score_by_tier": {"gold": 1}}, {"tier": "gold"}, "of tier gold"),
        ({"min_score_by_tier": {"gold": 1}}, {"tags": frozenset({"gold"})}, "of tier gold"),
        ({"min_score_by_tag": {"money": 1}}, {"tags": frozenset({"money"})}, "of tag money"),
        ({"min_score_by_severity": {"error": 1}}, {"severity": "error"}, "of severity error"),
        ({"min_score_by_dimension": {"completeness": 1}}, {"kind": "not_null"}, "of dimension completeness"),
    ],
)
def test_a_group_has_its_own_threshold(config: dict[str, Any], asks: dict[str, Any], words: str) -> None:
    others = [node(f"t{number}", kind="unique", severity="warn", tier="bronze") for number in range(9)]
    inside = {"kind": "unique", "severity": "warn", **asks}
    failed = judged(*others, node("x", "fail", **inside), min_score=0.5, **config)
    assert not failed.passed
    assert failed.failures[0] == f"the score {words} is 0.000, 1 is asked (0 of 1 tests passed)"
    assert judged(*others, node("x", **inside), min_score=0.5, **config).passed
    outside = node("x", "fail", kind="unique", severity="warn", tier="silver")
    assert judged(*others, outside, min_score=0.5, **config).passed


def test_a_group_without_tests_is_not_judged() -> None:
    assert judged(node("a"), min_score_by_tier={"gold": 1}, min_score_by_dimension={"freshness": 1}).passed


def test_dimensions_have_scores() -> None:
    nodes = [
        node("a", kind="not_null"),
        node("b", "fail", kind="not_null"),
        node("c", kind="dbt_utils.recency"),
        node("d", kind="my_own"),
    ]
    assert judged(*nodes).dimensions == {
        Dimension.COMPLETENESS: 0.5,
        Dimension.FRESHNESS: 1.0,
        Dimension.VALIDITY: 1.0,
    }
    moved = judged(*nodes, dimensions={"my_own": "consistency", "b": "uniqueness", "recency": "validity"}).dimensions
    assert moved == {
        Dimension.COMPLETENESS: 1.0,
        Dimension.UNIQUENESS: 0.0,
        Dimension.VALIDITY: 1.0,
        Dimension.CONSISTENCY: 1.0,
    }


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("error", "1 test could not run: x"),
        ("runtime error", "1 test could not run: x"),
    ],
)
def test_what_could_not_run_is_not_forgiven(status: str, words: str) -> None:
    report = judged(*NINETEEN, node("x", status), min_score=0)
    assert (report.passed, report.failures[0]) == (False, words)
    assert report.failures[1] == "test x on orders could not run, see models/schema.yml"


def test_skipped_tests_count_against() -> None:
    report = judged(*NINETEEN, node("x", "skipped"), min_score=0.96)
    assert (report.passed, report.score, report.checks) == (False, 0.95, 19)
    assert report.failures[-1] == "test x on orders was skipped"


def test_models_that_broke_are_not_forgiven() -> None:
    models = [DbtNode(f"model.shop.m{number}", f"m{number}", "model", "error") for number in range(5)]
    report = judged(node("a"), *models, command=DbtCommand.BUILD, min_score=0)
    assert report.failures == ("5 nodes could not be built: m0, m1, m2 and 2 more",)
    assert not report.passed


@pytest.mark.parametrize(
    ("nodes", "failure"),
    [
        ([node("a", kind="unique")], "orders: the required test not_null did not run"),
        ([node("a", kind="unique"), node("b", model="other")], "orders: the required test not_null did not run"),
        ([node("a", kind="unique"), node("b", "fail")], "orders: the required test not_null did not pass"),
        ([node("a", kind="unique"), node("b", "warn")], "orders: the required test not_null did not pass"),
        (
            [node("a", kind="unique"), node("b"), node("c", "skipped")],
            "orders: the required test not_null did not pass",
        ),
        ([node("a", kind="dbt_utils.unique"), node("not_null", kind="own")], None),
        ([node("a", kind="unique"), node("b")], None),
    ],
)
def test_required_tests_have_passed(nodes: list[DbtNode], failure: str | None) -> None:
    report = judged(*nodes, min_score=0, required_tests={"orders": ["unique", "not_null"]})
    assert report.passed is (failure is None)
    assert failure is None or failure in report.failures


def test_findings_are_whole() -> None:
    failed = replace(
        node("x", "fail", kind="unique", column="id", rows=1), compiled="target/x.sql:3", message="Got 1 result"
    )
    report = judged(failed)
    assert report.findings == (
        QualityFinding("x", "fail", Dimension.UNIQUENESS, "orders", "id", "error", 1, "target/x.sql:3", "Got 1 result"),
    )
    assert report.failures[-1] == "test x on orders failed: 1 wrong row, see target/x.sql:3"


def test_an_engine_that_does_not_say_what_a_test_asks() -> None:
    nodes = [DbtNode("test.a", "a", "test", "pass"), DbtNode("unit_test.b", "b", "unit_test", "fail")]
    report = judged(*nodes)
    assert (report.score, report.dimensions) == (0.5, {Dimension.CONSISTENCY: 0.5})


ASKS = st.builds(
    DbtTest,
    kind=st.one_of(st.sampled_from(["unique", "not_null", "dbt_utils.recency", "unit", ".", ""]), st.text(max_size=4)),
    model=st.sampled_from(["orders", "", "x"]),
    severity=st.sampled_from(["error", "warn", "ERROR", ""]),
    tags=st.frozensets(st.sampled_from(["gold", "money", ""]), max_size=2),
    tier=st.sampled_from(["gold", "silver", ""]),
)
NODES = st.builds(
    DbtNode,
    unique_id=st.text(max_size=3),
    name=st.text(max_size=3),
    resource_type=st.sampled_from(["test", "unit_test", "model"]),
    status=st.sampled_from(STATUSES),
    rows=st.one_of(st.none(), st.integers()),
    test=st.one_of(st.none(), ASKS),
)
SHARES, WEIGHTS = st.floats(0, 1), st.floats(0.001, 1000)
CONFIGS = st.builds(
    DbtQualityConfig,
    min_score=SHARES,
    warn_credit=SHARES,
    min_score_by_tier=st.dictionaries(st.sampled_from(["gold", "silver"]), SHARES),
    min_score_by_severity=st.dictionaries(st.sampled_from(["error", "warn"]), SHARES),
    severity_weights=st.dictionaries(st.sampled_from(["error", "warn"]), WEIGHTS),
    dimension_weights=st.dictionaries(st.sampled_from(list(Dimension)), WEIGHTS),
    required_tests=st.dictionaries(st.just("orders"), st.just(("unique",))),
)


@settings(max_examples=200, deadline=None)
@given(nodes=st.lists(NODES, max_size=8), config=CONFIGS)
def test_any_result_is_judged(nodes: list[DbtNode], config: DbtQualityConfig) -> None:
    report = judge(DbtResult(DbtCommand.BUILD, success=True, elapsed_s=0.0, nodes=tuple(nodes)), config)
    assert all(0 <= score <= 1 for score in [report.score, *report.dimensions.values()])
    assert report.passed or report.failures
    assert report.checks <= len(nodes)


@settings(max_examples=200, deadline=None)
@given(nodes=st.lists(NODES, min_size=1, max_size=8), config=CONFIGS, data=st.data())
def test_a_pass_that_becomes_a_failure_never_helps(
    nodes: list[DbtNode], config: DbtQualityConfig, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(nodes) - 1))
    worse = data.draw(st.sampled_from([one for one in STATUSES if one not in {"pass", "success"}]))
    nodes[place] = replace(nodes[place], status="pass")
    before = judge(DbtResult(DbtCommand.BUILD, success=True, elapsed_s=0.0, nodes=tuple(nodes)), config)
    nodes[place] = replace(nodes[place], status=worse)
    after = judge(DbtResult(DbtCommand.BUILD, success=True, elapsed_s=0.0, nodes=tuple(nodes)), config)
    assert after.score <= before.score
    assert before.passed or not after.passed
    assert all(score <= before.dimensions[one] for one, score in after.dimensions.items())

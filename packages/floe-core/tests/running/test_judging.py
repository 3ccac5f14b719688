"""Tiers of `floe.yaml` reach the judge of tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import DbtCommand, DbtNode, DbtResult, DbtTest, PluginType, QualityReport
from floe_core.running import Work
from floe_core.running.judging import failure, judged

if TYPE_CHECKING:
    from tests.running.conftest import Bench

ABOUT = {"unique_bronze": "bronze_orders", "unique_gold": "gold_orders_by_day"}


@pytest.mark.parametrize(("tier", "meets"), [("bronze", False), ("gold", True)])
def test_a_least_score_by_tier_is_held_to_the_tiers_of_the_product(bench: Bench, tier: str, meets: bool) -> None:
    bench.choose(PluginType.QUALITY, "dbt", min_score=0, min_score_by_tier={tier: 1.0})
    bench.script(test={"unique_bronze": "fail", "unique_gold": "pass"}, about=ABOUT)
    outcome = bench.carry_out(Work.TEST)
    assert outcome.success is meets
    if outcome.failure is not None:
        assert "the score of tier bronze is 0.000, 1 is asked" in outcome.failure.why


def test_what_floe_yaml_says_goes_before_dbts_files_and_nothing_else_is_touched() -> None:
    class Keeper:
        name = "keeper"

        def evaluate(self, result: DbtResult) -> QualityReport:
            self.seen = {node.name: node.test.tier if node.test else None for node in result.nodes}
            return QualityReport(passed=True, score=1.0, checks=3)

    tests = {"a": DbtTest("unique", "one", tier="old"), "b": DbtTest("unique", "two", tier="kept"), "c": DbtTest("x")}
    nodes = [DbtNode(name, name, "test", "pass", test=test) for name, test in tests.items()]
    keeper = Keeper()
    result = DbtResult(
        DbtCommand.TEST, success=True, elapsed_s=0.1, nodes=(*nodes, DbtNode("m", "m", "model", "success"))
    )
    judged(keeper, result, {"one": "gold", "three": "never"})  # type: ignore[arg-type] # the least that judges
    assert keeper.seen == {"a": "gold", "b": "kept", "c": "", "m": None}


def test_a_dbt_that_failed_without_naming_a_node_is_not_excused_by_a_report() -> None:
    result = DbtResult(DbtCommand.TEST, success=False, elapsed_s=0.1, nodes=(DbtNode("a", "a", "test", "pass"),))
    told = failure(result, QualityReport(passed=True, score=1.0, checks=1))
    assert told
    assert "dbt named no node" in told.why


def test_dimensions_and_findings_are_told_as_json(bench: Bench) -> None:
    bench.choose(PluginType.QUALITY, "dbt", min_score=0.5)
    bench.script(test={"unique_bronze": "fail", "unique_gold": "pass"}, about=ABOUT)
    told = json.loads(json.dumps(bench.carry_out(Work.TEST).as_dict()))["quality"]
    assert told["dimensions"] == {"uniqueness": 0.5}
    (finding,) = told["findings"]
    assert (finding["check"], finding["model"], finding["dimension"], finding["status"]) == (
        "unique_bronze",
        "bronze_orders",
        "uniqueness",
        "fail",
    )

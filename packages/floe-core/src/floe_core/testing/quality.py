"""What every quality plugin promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from floe_core.plugins import DbtCommand, DbtNode, DbtResult, DbtTest, PluginType, QualityPlugin
from floe_core.plugins.quality import QualityError, QualityReport
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

WORSE = ("warn", "fail", "error", "skipped")
KINDS = ("not_null", "unique", "accepted_values", "relationships", "singular", "unit", "some_package.some_test")


def check(number: int, status: str = "pass", **asks: Any) -> DbtNode:
    """A test's node with that outcome, about a model of its own."""
    kind = KINDS[number % len(KINDS)]
    name = f"{kind.rpartition('.')[2]}_{number}"
    return DbtNode(
        unique_id=f"test.shop.{name}",
        name=name,
        resource_type="unit_test" if kind == "unit" else "test",
        status=status,
        rows={"pass": 0, "fail": 3 + number, "warn": 3 + number}.get(status),
        message="" if status == "pass" else f"Got {3 + number} results",
        path=f"models/schema_{number}.yml",
        compiled=f"target/compiled/{name}.sql",
        test=DbtTest(kind, model=f"model_{number}", **asks),
    )


def outcome(*nodes: DbtNode, command: DbtCommand = DbtCommand.TEST) -> DbtResult:
    """The result of one command with these nodes."""
    bad = {"fail", "error"}
    return DbtResult(command, success=not any(node.status in bad for node in nodes), elapsed_s=0.1, nodes=nodes)


class QualityConformance(PluginConformance):
    """Fixtures: `plugin`, which asks for no particular test and gives no test the weight 0."""

    plugin_type: ClassVar[PluginType] = PluginType.QUALITY

    def test_without_tests_nothing_passes(self, plugin: QualityPlugin[Any]) -> None:
        """No test is no proof, whether nothing ran, only models did, or every test was skipped."""
        model = DbtNode("model.shop.orders", "orders", "model", "success")
        skipped = [check(number, "skipped") for number in range(3)]
        for nodes in ([], [model], [model, *skipped]):
            report = _judged(plugin, outcome(*nodes, command=DbtCommand.BUILD))
            expect(not report.passed, "a build without a test that ran does not pass")
            expect((report.score, report.checks) == (0, 0), "its score is 0, over 0 checks")

    def test_good_tests_pass(self, plugin: QualityPlugin[Any]) -> None:
        """Where every test passes, so does the build, with the full score."""
        report = _judged(plugin, outcome(*(check(number) for number in range(10))))
        expect(report.passed, f"a build whose tests pass passes: {report.failures}")
        expect((report.score, report.checks) == (1, 10), "its score is 1, over all of its tests")
        expect(not report.findings, "there is nothing to find")

    def test_a_worse_outcome_never_helps(self, plugin: QualityPlugin[Any]) -> None:
        """Whatever test turns from passing to failing, the score does not rise, and neither does a dimension's."""
        nodes = [check(number, "fail" if number % 3 == 1 else "pass") for number in range(9)]
        before = _judged(plugin, outcome(*nodes))
        for place, node in enumerate(nodes):
            for status in WORSE if node.status == "pass" else ():
                changed = [*nodes[:place], replace(node, status=status), *nodes[place + 1 :]]
                after = _judged(plugin, outcome(*changed))
                expect(after.score <= before.score, f"{node.name}: pass to {status} does not raise the score")
                for dimension, score in after.dimensions.items():
                    expect(score <= before.dimensions[dimension], f"nor does it raise {dimension}")

    def test_nothing_good_is_no_score(self, plugin: QualityPlugin[Any]) -> None:
        """Where every test fails, the score is 0 and the build does not pass."""
        for status in ("fail", "error"):
            report = _judged(plugin, outcome(*(check(number, status) for number in range(5))))
            expect(not report.passed, f"a build whose tests all end in {status} does not pass")
            expect(report.score == 0, f"its score is 0, not {report.score}")

    def test_a_test_that_cannot_run_is_not_passed_over(self, plugin: QualityPlugin[Any]) -> None:
        """One broken test among many good ones: the build does not pass, whatever the threshold."""
        nodes = [check(number) for number in range(50)]
        report = _judged(plugin, outcome(*nodes, check(50, "error")))
        expect(not report.passed, "a test that could not run says nothing, so the build does not pass")

    def test_failures_are_told(self, plugin: QualityPlugin[Any]) -> None:
        """A failed check is told with its model, its rows and the place of its SQL, in words and as a finding."""
        failed = check(1, "fail")
        report = _judged(plugin, outcome(check(0), failed, check(2)))
        expect(any(failed.name in sentence for sentence in report.failures), "a sentence names the failed check")
        found = {one.check: one for one in report.findings}.get(failed.name)
        expect(found is not None, "a finding names the failed check")
        if found is not None:
            told = (found.status, found.model, found.rows, found.where)
            expect(told == ("fail", "model_1", failed.rows, failed.compiled), f"a finding is whole: {told}")

    def test_a_judgement_is_the_same_twice(self, plugin: QualityPlugin[Any]) -> None:
        """In the same order or in another: dbt's threads decide about that."""
        nodes = [check(number, ("pass", "fail", "warn")[number % 3]) for number in range(12)]
        first = _judged(plugin, outcome(*nodes))
        expect(_judged(plugin, outcome(*nodes)) == first, "the same result has the same report")
        backwards = _judged(plugin, outcome(*reversed(nodes)))
        same = (backwards.passed, backwards.score, backwards.dimensions) == (
            first.passed,
            first.score,
            first.dimensions,
        )
        expect(same, "the order of nodes changes neither the verdict nor the scores")

    def test_other_commands_are_not_judged(self, plugin: QualityPlugin[Any]) -> None:
        """What ran no tests cannot be judged by them."""
        with refuses(QualityError, "the result of a `run` is refused with QualityError"):
            plugin.evaluate(outcome(DbtNode("model.shop.orders", "orders", "model", "success"), command=DbtCommand.RUN))


def _judged(plugin: QualityPlugin[Any], result: DbtResult) -> QualityReport:
    """The report, after what holds for every one."""
    report = plugin.evaluate(result)
    scores = [report.score, *report.dimensions.values()]
    expect(all(0 <= score <= 1 for score in scores), f"scores lie between 0 and 1: {scores}")
    expect(report.passed or report.failures, "where a build does not pass, a sentence says why")
    return report

"""The quality suite fails where a judge forgives what it must not, or tells less than it knows."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from floe_core.plugins import DbtCommand, DbtResult, Dimension, NoConfig, QualityError, QualityPlugin, QualityReport
from floe_core.plugins.quality import QualityFinding
from floe_core.testing import QualityConformance

SUITE = QualityConformance()
TESTS = {"test", "unit_test"}


class Sound(QualityPlugin[NoConfig]):
    """Asks that every test passes."""

    name, version, floe_api_version = "sound", "1.0.0", "1.0"

    def evaluate(self, result: DbtResult) -> QualityReport:
        if result.command not in {DbtCommand.TEST, DbtCommand.BUILD}:
            raise QualityError("no tests")
        tests = [node for node in result.nodes if node.resource_type in TESTS]
        ran = [node for node in tests if node.status != "skipped"]
        findings = tuple(
            QualityFinding(
                node.name, node.status, Dimension.VALIDITY, node.test.model, rows=node.rows, where=node.compiled
            )
            for node in tests
            if node.status != "pass" and node.test
        )
        score = 1 - len(findings) / len(tests) if tests else 0.0
        passed = bool(ran) and not findings
        words = tuple(one.check for one in findings) or (() if passed else ("no test ran",))
        return QualityReport(passed, score, len(ran), words, {Dimension.VALIDITY: score} if tests else {}, findings)


class Optimistic(Sound):
    def evaluate(self, result: DbtResult) -> QualityReport:
        report = super().evaluate(result)
        return report if report.checks else replace(report, passed=True)


class Forgiving(Sound):
    """Leaves out what could not run."""

    def evaluate(self, result: DbtResult) -> QualityReport:
        return super().evaluate(replace(result, nodes=tuple(one for one in result.nodes if one.status != "error")))


class Generous(Sound):
    """Takes the failures for the score."""

    def evaluate(self, result: DbtResult) -> QualityReport:
        report = super().evaluate(result)
        return replace(report, score=1 - report.score, dimensions={})


class Percent(Sound):
    def evaluate(self, result: DbtResult) -> QualityReport:
        report = super().evaluate(result)
        return replace(report, score=report.score * 100)


class Silent(Sound):
    def evaluate(self, result: DbtResult) -> QualityReport:
        return replace(super().evaluate(result), failures=())


class Vague(Sound):
    def evaluate(self, result: DbtResult) -> QualityReport:
        report = super().evaluate(result)
        return replace(report, findings=tuple(replace(one, rows=None) for one in report.findings))


class Moody(Sound):
    calls = count()

    def evaluate(self, result: DbtResult) -> QualityReport:
        report = super().evaluate(result)
        return replace(report, failures=(*report.failures, f"call {next(self.calls)}"))


class Undemanding(Sound):
    def evaluate(self, result: DbtResult) -> QualityReport:
        return super().evaluate(replace(result, command=DbtCommand.TEST))


class Strict(Sound):
    """Passes nothing."""

    def evaluate(self, result: DbtResult) -> QualityReport:
        return replace(super().evaluate(result), passed=False, failures=("never",))


CALLS: dict[str, Any] = {
    "nothing": SUITE.test_without_tests_nothing_passes,
    "good": SUITE.test_good_tests_pass,
    "worse": SUITE.test_a_worse_outcome_never_helps,
    "bad": SUITE.test_nothing_good_is_no_score,
    "broken": SUITE.test_a_test_that_cannot_run_is_not_passed_over,
    "told": SUITE.test_failures_are_told,
    "twice": SUITE.test_a_judgement_is_the_same_twice,
    "other": SUITE.test_other_commands_are_not_judged,
}


@pytest.mark.parametrize(
    ("plugin", "found_by"),
    [
        (Sound, set()),
        (Optimistic, {"nothing"}),
        (Forgiving, {"broken"}),
        (Generous, {"nothing", "good", "worse", "bad"}),
        (Percent, {"good", "worse", "told", "twice", "broken"}),
        (Silent, {"nothing", "worse", "bad", "broken", "told", "twice"}),
        (Vague, {"told"}),
        (Moody, {"twice"}),
        (Undemanding, {"other"}),
        (Strict, {"good", "told"}),
    ],
)
def test_a_wrong_plugin_is_found(plugin: type[Sound], found_by: set[str]) -> None:
    failed = set()
    for name, check in CALLS.items():
        try:
            check(plugin(NoConfig()))
        except AssertionError:
            failed.add(name)
    assert failed == found_by

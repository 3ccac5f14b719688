"""The quality plugin `dbt`, held to the contract; its settings and its spans."""

from __future__ import annotations

from typing import Any

import pytest
from floe_core.plugins import DbtCommand, DbtResult, QualityError
from floe_core.testing import QualityConformance
from floe_core.testing.quality import check, outcome
from floe_quality_dbt.config import DbtQualityConfig
from floe_quality_dbt.plugin import DbtQualityPlugin
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError


def plugin_of(**config: Any) -> DbtQualityPlugin:
    return DbtQualityPlugin(DbtQualityConfig.model_validate(config))


class TestConformance(QualityConformance):
    @pytest.fixture
    def plugin(self) -> DbtQualityPlugin:
        return plugin_of()


class TestLenientConformance(QualityConformance):
    """The contract holds whatever is configured, also where nothing is asked."""

    @pytest.fixture
    def plugin(self) -> DbtQualityPlugin:
        weights = {"completeness": 7, "consistency": 0.1}
        return plugin_of(min_score=0.01, warn_credit=0, dimension_weights=weights, dimensions={"unique": "freshness"})


@pytest.mark.parametrize(
    "config",
    [
        {"min_score": 1.01},
        {"min_score": -0.1},
        {"min_score": float("nan")},
        {"min_score_by_tier": {"gold": 2}},
        {"min_score_by_severity": {"fatal": 1}},
        {"min_score_by_dimension": {"beauty": 1}},
        {"severity_weights": {"error": 0}},
        {"dimension_weights": {"validity": -1}},
        {"dimension_weights": {"validity": float("inf")}},
        {"warn_credit": 1.5},
        {"dimensions": {"unique": "beauty"}},
        {"required_tests": {"orders": "unique"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plugin_of(**config)


@pytest.mark.parametrize("command", [one for one in DbtCommand if one not in {DbtCommand.TEST, DbtCommand.BUILD}])
def test_other_commands_are_refused(command: DbtCommand) -> None:
    with pytest.raises(QualityError, match="judge the result of dbt test or build"):
        plugin_of().evaluate(DbtResult(command, success=True, elapsed_s=0.0))


def test_a_judgement_is_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    plugin_of().evaluate(outcome(check(0), check(1, "fail")))
    (made,) = exporter.get_finished_spans()
    assert made.name == "quality evaluate"
    assert dict(made.attributes or {}) == {
        "quality.command": "test",
        "quality.passed": False,
        "quality.score": 0.5,
        "quality.checks": 2,
    }

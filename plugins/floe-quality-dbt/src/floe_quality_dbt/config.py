"""What a platform asks of its products' tests."""

from __future__ import annotations

from typing import Annotated, Literal

from floe_core.plugins import Dimension, PluginConfig
from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0.001, le=1000)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Severity = Literal["error", "warn"]


def _weights() -> dict[Severity, float]:
    return {"error": 1.0, "warn": 0.5}


class DbtQualityConfig(PluginConfig):
    """Thresholds are least scores from 0 to 1; a group without tests is not held to one.

    What is not given makes the judgement that of dbt itself: every test passes, or warns.

    Attributes:
        min_score: Of all tests.
        min_score_by_tier: Of the tests of a tier: the model's `meta.tier`, or a tag with the tier's name.
        min_score_by_tag: Of the tests with a tag, be it their own or their model's.
        min_score_by_severity: Of the tests that were declared so.
        min_score_by_dimension: Of the tests of a dimension.
        severity_weights: How much a test counts by its declared severity.
        dimension_weights: How much a test counts by its dimension, times the former; 1 for those not named.
        warn_credit: What a test that warns earns, between 0 as if it failed and 1 as if it passed.
        dimensions: The dimension of single tests or of kinds of tests, where the built-in table is not right.
        required_tests: By model, the kinds of tests that must have run and passed, for example `unique`.
    """

    min_score: Share = 1.0
    min_score_by_tier: dict[Name, Share] = Field(default_factory=dict)
    min_score_by_tag: dict[Name, Share] = Field(default_factory=dict)
    min_score_by_severity: dict[Severity, Share] = Field(default_factory=dict)
    min_score_by_dimension: dict[Dimension, Share] = Field(default_factory=dict)
    severity_weights: dict[Severity, Weight] = Field(default_factory=_weights)
    dimension_weights: dict[Dimension, Weight] = Field(default_factory=dict)
    warn_credit: Share = 1.0
    dimensions: dict[Name, Dimension] = Field(default_factory=dict)
    required_tests: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)

"""The suites fail where a plugin breaks the contract; a suite that passes everything would prove nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from floe_core.plugins import ComputePlugin, Lane, PluginConfig, TargetRequest
from floe_core.testing import ComputeConformance, PluginConformance
from floe_core.testing.expect import expect, refuses
from pydantic import ConfigDict


class LooseConfig(PluginConfig):
    model_config = ConfigDict(extra="allow", frozen=False)


class Sloppy(ComputePlugin[LooseConfig]):
    name, version, floe_api_version = "sloppy", "one", "1.0"
    tracer_name: ClassVar[str | None] = "mine"
    config_model: ClassVar[type[PluginConfig]] = LooseConfig
    adapter: ClassVar[str] = "dbt-sloppy"
    lanes: ClassVar[frozenset[Lane]] = frozenset({Lane.DUCKDB})
    calls = 0

    def dbt_target(self, request: TargetRequest) -> dict[str, object]:
        Sloppy.calls += 1
        return {"type": "other", "calls": Sloppy.calls, "lane": request.lane.value}


@pytest.mark.parametrize(
    "test",
    [
        PluginConformance.test_its_metadata_are_whole,
        PluginConformance.test_its_configuration_is_strict,
        ComputeConformance.test_every_lane_has_a_target,
    ],
)
def test_a_sloppy_plugin_does_not_pass(test: Any) -> None:
    with pytest.raises(AssertionError):
        test(ComputeConformance(), Sloppy(LooseConfig()))


def test_a_plugin_of_another_type_does_not_pass() -> None:
    not_one: Any = object()

    class Suite(PluginConformance):
        plugin_type = ComputeConformance.plugin_type

    with pytest.raises(AssertionError, match="subclasses ComputePlugin"):
        Suite().test_it_implements_the_abc(not_one)


def test_expectations_speak() -> None:
    expect(condition=True, contract="holds")
    with pytest.raises(AssertionError, match="it must hold"):
        expect(condition=False, contract="it must hold")
    with pytest.raises(AssertionError, match="it must be refused"), refuses(ValueError, "it must be refused"):
        pass

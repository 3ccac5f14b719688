from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dagster import Definitions
from floe_core.testing import OrchestratorConformance
from floe_orchestrator_dagster.plugin import DagsterConfig, DagsterOrchestratorPlugin
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class TestConformance(OrchestratorConformance):
    @pytest.fixture
    def plugin(self) -> DagsterOrchestratorPlugin:
        return DagsterOrchestratorPlugin(DagsterConfig())


def test_the_definitions_of_a_product_are_dagsters_own(
    make_product: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLOE_PRODUCT_STATE", str(tmp_path / "state"))
    plugin = DagsterOrchestratorPlugin(DagsterConfig(health_interval_s=30))
    definitions = plugin.definitions(make_product(parsed=True))
    assert isinstance(definitions, Definitions)
    (sensor,) = definitions.get_repository_def().sensor_defs
    assert sensor.minimum_interval_seconds == 30


@pytest.mark.parametrize(
    "wrong", [{"health_interval_s": 0}, {"health_interval_s": "60"}, {"nonsense": 1}, {"lane": "paper"}]
)
def test_a_configuration_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DagsterConfig.model_validate(wrong)

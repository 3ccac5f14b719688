"""The orchestrator plugin `dagster`: what the registry loads; Dagster itself is imported when it is asked for work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from floe_core.plugins import Lane, OrchestratorPlugin, PluginConfig
from pydantic import Field

if TYPE_CHECKING:
    from pathlib import Path

    from dagster import Definitions


class DagsterConfig(PluginConfig):
    """How products are orchestrated.

    Attributes:
        lane: Where runs leave their tables; the variable FLOE_LANE says it where this does not, else a DuckDB file.
        health_interval_s: Least seconds between two looks of the health sensor.
    """

    lane: Lane | None = None
    health_interval_s: Annotated[int, Field(ge=5, le=86_400, strict=True)] = 60


class DagsterOrchestratorPlugin(OrchestratorPlugin[DagsterConfig]):
    """Products as Dagster assets, with checks, a job, a schedule and a sensor."""

    name: ClassVar[str] = "dagster"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.orchestrator.dagster"
    description: ClassVar[str] = "Dagster: assets and checks from dbt, schedule and health sensor wired"
    config_model: ClassVar[type[PluginConfig]] = DagsterConfig

    def definitions(self, product_dir: Path) -> Definitions:
        """The `dagster.Definitions` of one product; see `loader.load_product_definitions`.

        Raises:
            SpecError: floe.yaml is wrong.
            OrchestratorError: the dbt project is missing, or a definition is not fit to run.
        """
        from floe_orchestrator_dagster.loader import load_product_definitions

        return load_product_definitions(
            product_dir, lane=self.config.lane, health_interval_s=self.config.health_interval_s
        )

"""A product as Dagster definitions: assets and checks, jobs, schedules and its health sensor, all wired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    Definitions,
    ScheduleDefinition,
    define_asset_job,
)
from floe_core.plugins import Lane, PluginType
from floe_core.telemetry import span

from floe_orchestrator_dagster.assets.ingestion import INGESTION, IO_MANAGER, ingestion_assets
from floe_orchestrator_dagster.assets.semantic_sync import SEMANTIC, semantic_asset
from floe_orchestrator_dagster.assets.specs import DbtSpecs
from floe_orchestrator_dagster.assets.transforms import ICEBERG, transform_assets
from floe_orchestrator_dagster.io_manager import IcebergIOManager
from floe_orchestrator_dagster.maintenance import is_said, maintenance_job
from floe_orchestrator_dagster.product import read_product
from floe_orchestrator_dagster.resources.dbt_resource import DbtResource
from floe_orchestrator_dagster.resources.iceberg import IcebergAccess, IcebergResource
from floe_orchestrator_dagster.resources.ingestion import IngestionResource
from floe_orchestrator_dagster.resources.semantic import SemanticResource
from floe_orchestrator_dagster.sensors import health_sensor
from floe_orchestrator_dagster.tracing import Tracing
from floe_orchestrator_dagster.wiring import check_definitions

if TYPE_CHECKING:
    from pathlib import Path

    from dagster import AssetsDefinition, JobDefinition, ScheduleEvaluationContext

    from floe_orchestrator_dagster.product import Product

MAINTAINED_DAILY = "40 3 * * *"
"""When tables are maintained: before the working day, and not on the hour, when everything else starts."""


def load_product_definitions(
    product_dir: Path, *, state: Path | None = None, lane: Lane | str | None = None, health_interval_s: int = 60
) -> Definitions:
    """Everything that Dagster needs to show, run and schedule the product in `product_dir`.

    Args:
        product_dir: The folder with floe.yaml and dbt_project.yml.
        state: Where runs keep their files; see `product.read_product`.
        lane: Where the tables lie, `duckdb` or `iceberg`; default: FLOE_LANE, else `duckdb`.
        health_interval_s: Least seconds between two looks of the health sensor.

    Raises:
        SpecError: floe.yaml is wrong, or cannot be compiled for its platform.
        DbtProjectError: the dbt project cannot be parsed.
        OrchestratorError: there is no product, no dbt project, no such lane, or a sensor could start nothing.
    """
    product = read_product(product_dir, state=state, lane=lane)
    with span("dagster.load", **{"floe.product.name": product.name, "floe.lane": product.lane.value}):
        return check_definitions(_Definitions(product, health_interval_s).all())


class _Definitions:
    """The definitions of one product, put together from what its platform has."""

    def __init__(self, product: Product, health_interval_s: int) -> None:
        self._product = product
        self._interval_s = health_interval_s
        self._tracing = Tracing.of(product)
        self._resources: dict[str, Any] = {}
        self._assets: list[AssetsDefinition] = []

    def all(self) -> Definitions:
        product = self._product
        self._add_assets()
        build = define_asset_job(
            f"{product.slug}_build",
            selection=AssetSelection.assets(*self._assets),
            description=product.spec.metadata.description or None,
        )
        schedules = self._schedules(build.name)
        jobs: list[Any] = [build]
        if product.lane is Lane.ICEBERG:
            maintenance = maintenance_job(product, self._tracing)
            jobs.append(maintenance)
            schedules.append(self._maintained(maintenance))
        return Definitions(
            assets=self._assets,
            jobs=jobs,
            schedules=schedules,
            sensors=[health_sensor(product.slug, build.name, interval_s=self._interval_s, tracing=self._tracing)],
            resources=self._resources,
        )

    def _add_assets(self) -> None:
        product = self._product
        dbt = DbtResource.of(product)
        self._resources[product.resource] = dbt
        if product.lane is Lane.ICEBERG:
            access = IcebergAccess.of(product)
            self._resources[product.resource_named(ICEBERG)] = IcebergResource(access=access)
            self._resources[product.resource_named(IO_MANAGER)] = IcebergIOManager(access=access, tracing=self._tracing)
        specs = DbtSpecs(product, dbt.manifest())
        self._assets.append(transform_assets(product, specs, self._tracing))
        loader = product.chosen(PluginType.INGESTION)
        if loader is not None and product.spec.sources:
            self._resources[product.resource_named(INGESTION)] = IngestionResource.of(product, loader)
            self._assets += ingestion_assets(product, loader, self._tracing)
        layer = product.chosen(PluginType.SEMANTIC_LAYER)
        if layer is not None:
            self._resources[product.resource_named(SEMANTIC)] = SemanticResource.of(product, layer)
            self._assets.append(semantic_asset(product, specs, layer, self._tracing))

    def _schedules(self, job_name: str) -> list[ScheduleDefinition]:
        """The schedule of floe.yaml; [] when it has none."""
        schedule = self._product.spec.schedule
        if schedule is None:
            return []
        return [
            self._schedule(
                f"{self._product.slug}_schedule",
                job_name,
                cron_schedule=schedule.cron,
                execution_timezone=schedule.timezone,
                default_status=DefaultScheduleStatus.RUNNING if schedule.enabled else DefaultScheduleStatus.STOPPED,
            )
        ]

    def _maintained(self, job: JobDefinition) -> ScheduleDefinition:
        schedule = self._product.spec.schedule
        return self._schedule(
            f"{self._product.slug}_maintenance_schedule",
            job.name,
            cron_schedule=MAINTAINED_DAILY,
            execution_timezone=schedule.timezone if schedule is not None else "UTC",
            default_status=DefaultScheduleStatus.RUNNING if is_said(self._product) else DefaultScheduleStatus.STOPPED,
        )

    def _schedule(self, name: str, job_name: str, **when: Any) -> ScheduleDefinition:
        """A schedule whose runs each begin a trace with their tick."""

        def tags(_context: ScheduleEvaluationContext) -> dict[str, str]:
            return {"floe/trigger": "schedule", **self._tracing.requested(name, job_name)}

        return ScheduleDefinition(name=name, job_name=job_name, tags_fn=tags, **when)

"""A product as Dagster definitions: assets and checks, one job, its schedule and its health sensor, all wired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import AssetSelection, DefaultScheduleStatus, Definitions, ScheduleDefinition, define_asset_job
from floe_core.telemetry import span

from floe_orchestrator_dagster.assets.transforms import transform_assets
from floe_orchestrator_dagster.product import DEFAULT_TARGET, read_product
from floe_orchestrator_dagster.resources.dbt_resource import DbtResource
from floe_orchestrator_dagster.sensors import health_sensor, require_targets

if TYPE_CHECKING:
    from pathlib import Path

    from floe_orchestrator_dagster.product import Product


def load_product_definitions(
    product_dir: Path, *, state: Path | None = None, target: str = DEFAULT_TARGET, health_interval_s: int = 60
) -> Definitions:
    """Everything that Dagster needs to show, run and schedule the product in `product_dir`.

    Args:
        product_dir: The folder with floe.yaml and dbt_project.yml.
        state: Where runs keep their files; see `product.read_product`.
        target: The dbt profile's target, which is the lane's name.
        health_interval_s: Least seconds between two looks of the health sensor.

    Raises:
        SpecError: floe.yaml is wrong.
        DbtProjectError: the dbt project cannot be parsed.
        OrchestratorError: there is no product, no dbt project, or a sensor has no target.
    """
    product = read_product(product_dir, state=state, target=target)
    with span("dagster.load", **{"floe.product.name": product.spec.metadata.name}):
        dbt = DbtResource.of(product)
        assets = transform_assets(product, dbt.manifest())
        job = define_asset_job(
            f"{product.slug}_build",
            selection=AssetSelection.assets(assets),
            description=product.spec.metadata.description or None,
        )
        sensors = [health_sensor(product.slug, job.name, interval_s=health_interval_s)]
        require_targets(sensors)
        return Definitions(
            assets=[assets],
            jobs=[job],
            schedules=_schedules(product, job.name),
            sensors=sensors,
            resources={product.resource: dbt},
        )


def _schedules(product: Product, job_name: str) -> list[ScheduleDefinition]:
    """The schedule of floe.yaml; [] when it has none."""
    schedule = product.spec.schedule
    if schedule is None:
        return []
    running = DefaultScheduleStatus.RUNNING if schedule.enabled else DefaultScheduleStatus.STOPPED
    return [
        ScheduleDefinition(
            name=f"{product.slug}_schedule",
            job_name=job_name,
            cron_schedule=schedule.cron,
            execution_timezone=schedule.timezone,
            default_status=running,
        )
    ]

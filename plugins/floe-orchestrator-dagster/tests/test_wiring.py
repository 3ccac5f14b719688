"""Definitions that could start nothing are refused while they are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dagster import (
    AssetSelection,
    Definitions,
    RunRequest,
    ScheduleDefinition,
    SensorDefinition,
    define_asset_job,
    run_failure_sensor,
)
from floe_core.plugins.orchestrator import OrchestratorError
from floe_orchestrator_dagster.loader import load_product_definitions
from floe_orchestrator_dagster.wiring import check_definitions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOB = define_asset_job("build", selection=AssetSelection.all())


def sensor(name: str, **target: Any) -> SensorDefinition:
    return SensorDefinition(name=name, evaluation_fn=lambda _context: RunRequest(), **target)


@run_failure_sensor
def tells_people() -> None:
    """Sends a message; it has nothing to start."""


@pytest.mark.requirement("WU3-BC3")
@pytest.mark.duckdb
def test_a_sensor_without_a_target_passes_dagsters_own_checks_and_not_ours() -> None:
    lost = Definitions(sensors=[sensor("lost")])
    Definitions.validate_loadable(lost)
    with pytest.raises(OrchestratorError, match="sensor lost has no target"):
        check_definitions(lost)


@pytest.mark.requirement("WU3-BC3")
def test_a_job_that_is_not_there_is_named_with_whoever_starts_it() -> None:
    definitions = Definitions(
        jobs=[JOB],
        sensors=[sensor("lost"), sensor("wrong", job_name="biuld"), sensor("right", job_name="build")],
        schedules=[
            ScheduleDefinition(name="late", job_name="nothing", cron_schedule="0 1 * * *"),
            ScheduleDefinition(name="good", job_name="build", cron_schedule="0 1 * * *"),
        ],
    )
    with pytest.raises(OrchestratorError, match="3 sensors and schedules can start nothing") as caught:
        check_definitions(definitions)
    assert caught.value.why == (
        "sensor lost has no target; sensor wrong starts the job biuld, which is not there; "
        "schedule late starts the job nothing, which is not there"
    )


def test_what_can_start_something_is_given_back() -> None:
    definitions = Definitions(
        jobs=[JOB],
        sensors=[
            sensor("by_name", job_name="build"),
            sensor("by_job", job=define_asset_job("own", selection="*")),
            sensor("by_assets", target=AssetSelection.all()),
            tells_people,
        ],
        schedules=[ScheduleDefinition(name="assets", target=AssetSelection.all(), cron_schedule="0 1 * * *")],
    )
    assert check_definitions(definitions) is definitions


@pytest.mark.requirement("WU3-AC5")
@pytest.mark.duckdb
def test_what_is_loaded_of_a_product_is_wired(make_product: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_product("schedule: { cron: '15 4 * * 1', timezone: Europe/Berlin }\n", parsed=True)
    definitions = load_product_definitions(folder, state=tmp_path / "state")
    assert check_definitions(definitions) is definitions
    repository = definitions.get_repository_def()
    assert len(repository.sensor_defs) == 1
    assert len(repository.schedule_defs) == 1
    jobs = {job.name for job in repository.get_all_jobs()}
    assert {target.job_name for one in repository.sensor_defs for target in one.targets} <= jobs
    assert {one.job_name for one in repository.schedule_defs} <= jobs

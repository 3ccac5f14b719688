"""Whether definitions can start what they promise to start, found while they are loaded and not at a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagster import Definitions, ScheduleDefinition, SensorDefinition
from floe_core.plugins.orchestrator import OrchestratorError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAY_ONLY_TELL: Final = frozenset({"RUN_STATUS", "AUTO_MATERIALIZE", "AUTOMATION"})
"""Kinds of sensors that do their work without a job: they send messages, or launch assets that they select."""


def check_definitions(definitions: Definitions) -> Definitions:
    """Refuse sensors and schedules that could never start anything; gives the definitions back.

    Dagster takes a sensor without a target, and fails each of its ticks. For a `definitions.py` written by hand:

        defs = check_definitions(Definitions(assets=[...], sensors=[...]))

    Raises:
        OrchestratorError: A sensor has no target, or a sensor or schedule starts a job that is not there; names all.
    """
    jobs = {job.name for job in definitions.jobs or ()}
    wrong = [*_sensors(definitions.sensors or (), jobs), *_schedules(definitions.schedules or (), jobs)]
    if wrong:
        raise OrchestratorError(
            wrong[0] if len(wrong) == 1 else f"{len(wrong)} sensors and schedules can start nothing",
            why="; ".join(wrong) if len(wrong) > 1 else "it would pass Dagster's checks and fail at its first tick",
            remedy="give each a job that is among the definitions",
        )
    return definitions


def _sensors(sensors: Iterable[object], jobs: set[str]) -> Iterable[str]:
    for sensor in sensors:
        if not isinstance(sensor, SensorDefinition):
            continue
        if not sensor.targets and sensor.sensor_type.value not in _MAY_ONLY_TELL:
            yield f"sensor {sensor.name} has no target"
        for target in sensor.targets:
            # One that holds its job brings it along; one that names a job relies on the others.
            if not target.has_job_def and target.job_name not in jobs:
                yield f"sensor {sensor.name} starts the job {target.job_name}, which is not there"


def _schedules(schedules: Iterable[object], jobs: set[str]) -> Iterable[str]:
    for schedule in schedules:
        if not isinstance(schedule, ScheduleDefinition):
            continue
        if not schedule.target.has_job_def and schedule.job_name not in jobs:
            yield f"schedule {schedule.name} starts the job {schedule.job_name}, which is not there"

"""Schedules and sensors: their state and ticks, start and stop, and what a tick would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from floe_core.errors import UsageError

from floe_ops.clients.dagster import queries
from floe_ops.clients.dagster.answers import DryTick, Schedule, Sensor, Tick
from floe_ops.clients.dagster.webserver import told

if TYPE_CHECKING:
    from floe_ops.clients.dagster.answers import Instigator, Repository
    from floe_ops.clients.dagster.webserver import Webserver

One = TypeVar("One", Schedule, Sensor)

TICKS = 20


class Automation:
    """What starts runs by itself in one Dagster; every method raises as `runs.Runs.launch`."""

    def __init__(self, web: Webserver) -> None:
        self._web = web

    def schedules(self, repository: Repository, *, ticks: int = TICKS) -> list[Schedule]:
        """The schedules of a repository, each with its last `ticks` ticks."""
        return self._web.member(
            queries.SCHEDULES,
            "schedulesOrError",
            "Schedules",
            lambda found: [_schedule(repository, one) for one in found["results"]],
            {"repository": repository.selector(), "ticks": ticks},
        )

    def sensors(self, repository: Repository, *, ticks: int = TICKS) -> list[Sensor]:
        """The sensors of a repository, each with its last `ticks` ticks."""
        return self._web.member(
            queries.SENSORS,
            "sensorsOrError",
            "Sensors",
            lambda found: [_sensor(repository, one) for one in found["results"]],
            {"repository": repository.selector(), "ticks": ticks},
        )

    def sensor(self, repository: Repository, name: str) -> Sensor:
        """The sensor of that name.

        Raises:
            UsageError: There is none.
        """
        return _named(self.sensors(repository), name, "sensor")

    def schedule(self, repository: Repository, name: str) -> Schedule:
        """The schedule of that name.

        Raises:
            UsageError: There is none.
        """
        return _named(self.schedules(repository), name, "schedule")

    def start(self, one: Instigator) -> None:
        """Have the daemon evaluate it from now on; no error where it does already."""
        kind = "sensor" if isinstance(one, Sensor) else "schedule"
        query = queries.START_SENSOR if isinstance(one, Sensor) else queries.START_SCHEDULE
        field, member = ("startSensor", "Sensor") if kind == "sensor" else ("startSchedule", "ScheduleStateResult")
        selector = {**one.repository.selector(), f"{kind}Name": one.name}
        self._web.member(query, field, member, str, {"selector": selector})

    def stop(self, one: Instigator) -> None:
        """Have the daemon leave it alone from now on; no error where it does already."""
        if isinstance(one, Sensor):
            query, field, member = queries.STOP_SENSOR, "stopSensor", "StopSensorMutationResult"
        else:
            query, field, member = queries.STOP_SCHEDULE, "stopRunningSchedule", "ScheduleStateResult"
        self._web.member(query, field, member, str, {"id": one.state})

    def set_cursor(self, sensor: Sensor, cursor: str) -> None:
        """Have the sensor's next tick begin from `cursor`."""
        selector = {**sensor.repository.selector(), "sensorName": sensor.name}
        variables = {"selector": selector, "cursor": cursor}
        self._web.member(queries.SET_CURSOR, "setSensorCursor", "Sensor", str, variables)

    def dry_tick(self, sensor: Sensor, *, cursor: str = "") -> DryTick:
        """Evaluate a sensor once without starting anything."""
        selector = {**sensor.repository.selector(), "sensorName": sensor.name}
        return self._web.member(
            queries.DRY_SENSOR,
            "sensorDryRun",
            "DryRunInstigationTick",
            lambda found: _dry(found["evaluationResult"]),
            {"selector": selector, "cursor": cursor or None},
        )


def _named(found: list[One], name: str, kind: str) -> One:
    for one in found:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in found) or "none"
    raise UsageError(f"there is no {kind} named {name!r}", why=f"the code location has: {known}")


def _schedule(repository: Repository, found: dict[str, Any]) -> Schedule:
    return Schedule(
        **_common(repository, found["name"], found["scheduleState"]),
        jobs=(str(found["pipelineName"]),),
        cron=str(found["cronSchedule"]),
        timezone=str(found["executionTimezone"] or "UTC"),
    )


def _sensor(repository: Repository, found: dict[str, Any]) -> Sensor:
    return Sensor(
        **_common(repository, found["name"], found["sensorState"]),
        jobs=tuple(str(target["pipelineName"]) for target in found["targets"] or ()),
        interval_s=int(found["minIntervalSeconds"]),
    )


def _common(repository: Repository, name: object, state: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": str(name),
        "repository": repository,
        "is_running": state["status"] == "RUNNING",
        "state": str(state["id"]),
        "ticks": tuple(_tick(one) for one in state["ticks"]),
    }


def _tick(found: dict[str, Any]) -> Tick:
    return Tick(
        status=str(found["status"]),
        at=float(found["timestamp"]),
        runs=tuple(str(run) for run in found["runIds"]),
        skip_reason=str(found["skipReason"] or ""),
        error=told(found["error"]),
    )


def _dry(found: dict[str, Any]) -> DryTick:
    return DryTick(
        run_keys=tuple(str(one["runKey"]) for one in found["runRequests"] or ()),
        skip_reason=str(found["skipReason"] or ""),
        error=told(found["error"]),
        cursor=str(found["cursor"] or ""),
    )

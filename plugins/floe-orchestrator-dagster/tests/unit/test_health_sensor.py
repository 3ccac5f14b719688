"""The health sensor against a real HTTP server that is turned healthy and unhealthy."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from dagster import (
    DagsterInstance,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    build_sensor_context,
)
from floe_orchestrator_dagster.loader import load_product_definitions
from floe_orchestrator_dagster.sensors import HEALTH_ENV, health_sensor
from floe_orchestrator_dagster.tracing import TRACEPARENT_TAG, Tracing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Platform(HTTPServer):
    status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/q/health/ready"


class Handler(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Say nothing."""


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with Platform(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        monkeypatch.setenv(HEALTH_ENV, server.url)
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def sensor(untraced: Tracing) -> SensorDefinition:
    return health_sensor("tiny", "tiny_build", interval_s=60, tracing=untraced)


class Ticks:
    """Evaluates a sensor tick after tick, with the cursor carried on as the daemon does."""

    def __init__(self, sensor: SensorDefinition) -> None:
        self.sensor = sensor
        self.cursor: str | None = None

    def tick(self) -> list[RunRequest]:
        with build_sensor_context(cursor=self.cursor) as context:
            data = self.sensor.evaluate_tick(context)
        self.cursor = data.cursor or self.cursor
        return list(data.run_requests or [])


@pytest.mark.requirement("WU3-AC6")
@pytest.mark.duckdb
def test_a_run_is_requested_once_each_time_that_health_returns(platform: Platform, sensor: SensorDefinition) -> None:
    ticks = Ticks(sensor)
    (first,) = ticks.tick()
    assert first.run_key == "tiny-healthy-1"
    assert ticks.tick() == []  # still healthy

    platform.status = 503
    assert ticks.tick() == []
    platform.status = 200
    (second,) = ticks.tick()
    assert second.run_key == "tiny-healthy-2"
    assert second.tags["floe/trigger"] == "health"


@pytest.mark.usefixtures("platform")
def test_a_cursor_that_was_reset_asks_for_a_run_that_was_not_started_yet(sensor: SensorDefinition) -> None:
    """Dagster keeps the last run key beyond a reset, and starts nothing twice for one key."""
    known = SensorEvaluationContext(
        instance_ref=None,
        last_tick_completion_time=1.0,
        last_run_key="tiny-healthy-7",
        cursor=None,
        log_key=None,
        repository_name=None,
    )
    with known as context:
        data = sensor.evaluate_tick(context)
    (request,) = data.run_requests or ()
    assert request.run_key == "tiny-healthy-8"
    assert json.loads(data.cursor or "{}") == {"healthy": True, "returns": 8}


@pytest.mark.requirement("WU3-AC5", "WU3-AC6")
@pytest.mark.duckdb
def test_the_sensor_of_a_loaded_product_starts_its_job_when_health_returns(
    platform: Platform, make_product: Callable[..., Path], tmp_path: Path
) -> None:
    """As the daemon does it: the sensor comes out of the loaded code location, and its request starts the job."""
    repository = load_product_definitions(make_product(), state=tmp_path / "state").get_repository_def()
    (sensor,) = repository.sensor_defs
    assert [target.job_name for target in sensor.targets] == ["tiny_product_build"]
    platform.status = 503
    ticks = Ticks(sensor)
    assert ticks.tick() == []
    platform.status = 200
    (request,) = ticks.tick()
    with DagsterInstance.ephemeral() as instance:
        job = repository.get_job(request.job_name or sensor.targets[0].job_name)
        result = job.execute_in_process(instance=instance, tags=dict(request.tags))
        run = instance.get_run_by_id(result.run_id)
    assert result.success
    assert run is not None
    assert run.tags["floe/trigger"] == "health"
    assert run.tags[TRACEPARENT_TAG] == request.tags[TRACEPARENT_TAG]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=st.lists(st.tuples(st.sampled_from([200, 503, 401, 302]), st.integers(1, 3)), max_size=12))
def test_every_return_of_health_is_one_run_however_often_a_tick_is_evaluated(
    platform: Platform, sensor: SensorDefinition, looks: list[tuple[int, int]]
) -> None:
    """A tick that is evaluated again before its cursor is kept asks for the same run, which Dagster starts once."""
    ticks, keys, healthy, returns = Ticks(sensor), [], False, 0
    for status, evaluations in looks:
        platform.status = status
        before = ticks.cursor
        for _ in range(evaluations):
            ticks.cursor = before
            keys += [request.run_key for request in ticks.tick()]
        returns += status == 200 and not healthy
        healthy = status == 200
        assert len(set(keys)) == returns
        assert json.loads(ticks.cursor or "{}") == {"healthy": healthy, "returns": returns}
    assert set(keys) == {f"tiny-healthy-{number}" for number in range(1, returns + 1)}


def test_a_tick_that_is_evaluated_twice_requests_the_same_run(platform: Platform, sensor: SensorDefinition) -> None:
    assert platform.status == 200
    assert Ticks(sensor).tick()[0].run_key == Ticks(sensor).tick()[0].run_key


def test_a_platform_that_does_not_answer_is_unhealthy_and_not_an_error(
    sensor: SensorDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HEALTH_ENV, "http://127.0.0.1:1/")
    ticks = Ticks(sensor)
    assert ticks.tick() == []
    assert json.loads(ticks.cursor or "") == {"healthy": False, "returns": 0}


def test_without_an_address_the_tick_says_what_to_set(
    sensor: SensorDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HEALTH_ENV, raising=False)
    with build_sensor_context() as context:
        skipped = sensor(context)
    assert isinstance(skipped, SkipReason)
    assert HEALTH_ENV in (skipped.skip_message or "")


@pytest.mark.parametrize("cursor", ["never", "[]", '{"returns": "many"}', ""])
def test_a_cursor_that_cannot_be_read_is_as_none(platform: Platform, sensor: SensorDefinition, cursor: str) -> None:
    assert platform.status == 200
    ticks = Ticks(sensor)
    ticks.cursor = cursor
    assert [request.run_key for request in ticks.tick()] == ["tiny-healthy-1"]

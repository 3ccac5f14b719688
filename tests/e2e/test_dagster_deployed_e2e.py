"""Dagster deployed on the local target, in the Iceberg lane: products built by GraphQL are tables in the catalog.

Webserver, daemon and a code server a product stand beside the platform's other services. The builds run side by side,
one started by its health sensor, the others by a caller in its trace; what they did is read from elsewhere: tables by
PyIceberg, spans from Jaeger.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.spec.load import load_product
from floe_ops import project
from floe_ops.clients.dagster import Dagster
from floe_ops.clients.jaeger import Jaeger
from floe_ops.products.reading import open_catalog
from floe_ops.targets.local.dagster import discover
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.clients.dagster import Run, Sensor, Tick
    from floe_ops.clients.jaeger import JaegerTrace
    from floe_ops.targets import Platform, Target
    from pyiceberg.catalog import Catalog

pytestmark = [pytest.mark.catalog, pytest.mark.local, pytest.mark.timeout(900)]

PRODUCTS = sorted(discover(project.root() / "demo"))
SENSED, LAUNCHED = PRODUCTS[0], PRODUCTS[1:]
BUILD_S, LOADED_S, TICK_S, TRACE_S = 600.0, 120.0, 60.0, 30.0


def slug(product: str) -> str:
    return product.replace("-", "_")


def until(look: Callable[[], Any], what: str, deadline_s: float) -> Any:
    """Look until there is something to see, and return it."""
    seen = Retrying(
        retry=retry_if_result(lambda found: not found),
        wait=wait_exponential(multiplier=0.05, max=1.0),
        stop=stop_after_delay(deadline_s),
        retry_error_callback=lambda _state: None,
    )(look)
    assert seen, f"not within {deadline_s:g} s: {what}"
    return seen


@pytest.fixture(scope="module")
def dagster(target: Target, platform: Platform) -> Iterator[Dagster]:
    """The platform's Dagster; its schedules rest meanwhile, so that every run is one of the tests'."""
    client = Dagster(target.ensure("dagster").urls["dagster"])
    client.wait_until_loaded(LOADED_S, expected=tuple(PRODUCTS))
    schedules = [one for found in client.repositories() for one in client.automation.schedules(found)]
    running = [one for one in schedules if one.is_running]
    for one in running:
        client.automation.stop(one)
    until(lambda: all(run.is_over for run in client.runs.last(20)), "no run under way", BUILD_S)
    yield client
    for one in running:
        client.automation.start(one)


@dataclass(frozen=True)
class Sensed:
    """A run that a tick of the health sensor started, its key, and the errors of the ticks until then."""

    run: str
    key: str
    errors: list[str]


@pytest.fixture(scope="module")
def launched(dagster: Dagster) -> dict[str, tuple[Run, str]]:
    """By product the run that a caller launched, and the caller's `traceparent`."""

    def launch(product: str) -> tuple[Run, str]:
        parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        home, job = dagster.repository(product), f"{slug(product)}_build"
        return dagster.runs.launch(home, job, tags={"traceparent": parent}), parent

    return {product: launch(product) for product in LAUNCHED}


@pytest.fixture(scope="module")
def sensed(dagster: Dagster, launched: dict[str, tuple[Run, str]]) -> Sensed:
    """The platform is healthy; the sensor is told that it was not when it last looked."""
    del launched  # they are under way meanwhile
    automation, returns = dagster.automation, time.time_ns()
    cursor, key = json.dumps({"healthy": False, "returns": returns}), f"{slug(SENSED)}-healthy-{returns + 1}"

    def sensor() -> Sensor:
        return automation.sensor(dagster.repository(SENSED), f"{slug(SENSED)}_when_healthy")

    before = sensor().ticks[:1]
    dry = automation.dry_tick(sensor(), cursor=cursor)
    assert (dry.error, dry.run_keys) == ("", (key,))

    def fresh() -> list[Tick]:
        return [tick for tick in sensor().ticks if not before or tick.at > before[0].at]

    automation.set_cursor(sensor(), cursor)
    automation.start(sensor())
    try:
        (run,) = until(lambda: [run for tick in fresh() for run in tick.runs], "a tick that asks for a run", TICK_S)
        return Sensed(run, key, [tick.error for tick in fresh() if tick.error])
    finally:
        automation.stop(sensor())


@pytest.fixture(scope="module")
def builds(dagster: Dagster, launched: dict[str, tuple[Run, str]], sensed: Sensed) -> dict[str, Run]:
    """The build of every product, waited for."""
    ids = {SENSED: sensed.run} | {product: run.id for product, (run, _) in launched.items()}
    return {product: dagster.runs.wait(run, BUILD_S) for product, run in ids.items()}


@pytest.fixture(scope="module")
def catalog(platform: Platform) -> Iterator[Catalog]:
    with open_catalog(platform) as opened:
        yield opened


@pytest.mark.requirement("WU8-X1")
def test_a_code_location_a_product_is_loaded_and_the_schema_takes_the_client(dagster: Dagster) -> None:
    assert len(PRODUCTS) == 3
    assert sorted(one.name for one in dagster.locations() if one.is_loaded) == PRODUCTS
    assert dagster.check_queries() == []
    assert dagster.unhealthy_daemons() == {}


@pytest.mark.requirement("WU8-X1")
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_launched_build_succeeds_with_every_model_and_every_check(
    dagster: Dagster, builds: dict[str, Run], product: str
) -> None:
    run = builds[product]
    assert (run.status, run.location, run.job) == ("SUCCESS", product, f"{slug(product)}_build")
    folder = discover(project.root() / "demo")[product].parent
    models = {path.stem for path in (folder / "models").rglob("*.sql")}
    made = {one.asset.rpartition("/")[2] for one in dagster.runs.materializations(run.id)}
    assert models <= made
    assert {one.name for one in load_product(folder).model.transforms} <= made
    checks = dagster.runs.checks(run.id)
    assert len(checks) >= len(models)
    assert [check for check in checks if not check.passed] == []


@pytest.mark.requirement("WU8-X1")
@pytest.mark.parametrize("product", PRODUCTS)
def test_its_tables_are_in_the_catalog_at_the_snapshot_that_dagster_noted(
    dagster: Dagster, builds: dict[str, Run], catalog: Catalog, product: str
) -> None:
    noted = {
        one.asset: one.metadata
        for one in dagster.runs.materializations(builds[product].id)
        if "iceberg/snapshot_id" in one.metadata
    }
    ports = {port.name for port in load_product(discover(project.root() / "demo")[product].parent).model.output_ports}
    assert ports
    assert ports <= {asset.rpartition("/")[2] for asset in noted}
    for asset, metadata in noted.items():
        table = catalog.load_table(tuple(asset.split("/")))
        snapshot = table.current_snapshot()
        assert snapshot is not None
        assert snapshot.snapshot_id == int(metadata["iceberg/snapshot_id"]), asset
        rows = table.scan().count()
        assert metadata["dagster/row_count"] == rows, asset
        assert rows > 0 or asset.rpartition("/")[2] not in ports, asset


@pytest.mark.requirement("WU8-X1")
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_callers_trace_goes_on_in_the_run(
    platform: Platform, launched: dict[str, tuple[Run, str]], builds: dict[str, Run], product: str
) -> None:
    parent, job = builds[product].tags["traceparent"], builds[product].job
    assert product == SENSED or parent == launched[product][1]
    _, trace_id, caller, _ = parent.split("-")

    def whole(trace: JaegerTrace) -> bool:
        return any(trace.children(span) for span in trace.named(f"dagster run {job}"))

    trace = Jaeger(platform.urls["jaeger-query"]).wait_for_trace(trace_id, whole, TRACE_S, wanted="steps below the run")
    (run,) = trace.named(f"dagster run {job}")
    assert run.parent == caller
    assert run.tags["dagster.run_id"] == builds[product].id
    above = trace.ancestors(run)
    assert bool(above) == (product == SENSED)  # the tick's span; a caller's own is not exported here
    assert all(span is run or span in above or run in trace.ancestors(span) for span in trace.spans)
    assert [span.operation for span in trace.spans if span.status == "error"] == []


@pytest.mark.requirement("WU8-X1")
def test_a_tick_of_the_health_sensor_starts_a_run(sensed: Sensed, builds: dict[str, Run]) -> None:
    run = builds[SENSED]
    assert sensed.errors == []
    assert (run.id, run.job, run.tags["floe/trigger"]) == (sensed.run, f"{slug(SENSED)}_build", "health")
    assert run.tags["dagster/run_key"] == sensed.key

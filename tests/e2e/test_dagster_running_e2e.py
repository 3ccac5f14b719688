"""WU-3 on a running Dagster: GraphQL by the served schema, a sensor and a schedule that each start a run.

A webserver, a daemon and two code servers of their own, in the DuckDB lane: needs neither catalog nor Jaeger. One code
location is customer-360, the other a copy of it whose schedule comes every minute.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from dagster import Definitions, RunRequest, SensorDefinition, build_sensor_context
from floe_core.errors import FloeError, WrongStateError
from floe_ops import project
from floe_ops.clients.dagster.queries import DOCUMENTS, REPOSITORIES
from floe_ops.clients.dagster.schema import problems, require_valid
from floe_ops.clients.dagster.webserver import Webserver
from floe_orchestrator_dagster.wiring import check_definitions
from polaris_standin.scripted import Reply, ScriptedServer
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.clients.dagster import Dagster, Repository, Run, Schedule

pytestmark = [pytest.mark.duckdb, pytest.mark.timeout(400)]

PRODUCT = "customer-360"
MINUTELY = "customer-360-minutely"
HEALTH = "/q/health/ready"
RUN_S, TICK_S = 120.0, 100.0
DEFINITIONS = """\
from pathlib import Path

from floe_orchestrator_dagster import load_product_definitions

defs = load_product_definitions(Path(__file__).parent, health_interval_s=5)
"""


@dataclass(frozen=True)
class Running:
    """The Dagster of this module, and the health that its sensors watch."""

    client: Dagster
    health: ScriptedServer

    def repository(self, location: str = PRODUCT) -> Repository:
        return self.client.repository(location)

    @property
    def minutely(self) -> Schedule:
        return self.client.automation.schedule(self.repository(MINUTELY), "customer_360_minutely_schedule")

    def triggered(self, by: str) -> list[Run]:
        return self.client.runs.last(tags={"floe/trigger": by})


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


def copy_of_the_product(products: Path, name: str, cron: str = "") -> Path:
    """A copy that is called `name`; gives its definitions.py."""
    folder = products / name
    shutil.copytree(project.root() / "demo" / PRODUCT, folder, ignore=shutil.ignore_patterns("target", "*.duckdb"))
    text = (folder / "floe.yaml").read_text(encoding="utf-8").replace(f"name: {PRODUCT}\n", f"name: {name}\n", 1)
    if cron:
        text = text.replace('cron: "30 5 * * *"', f'cron: "{cron}"')
        assert f'"{cron}"' in text
    (folder / "floe.yaml").write_text(text, encoding="utf-8")
    dbt = folder / "dbt_project.yml"
    profile = dbt.read_text(encoding="utf-8").replace("profile: customer_360", f"profile: {name.replace('-', '_')}")
    dbt.write_text(profile, encoding="utf-8")
    (folder / "definitions.py").write_text(DEFINITIONS, encoding="utf-8")
    return folder / "definitions.py"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Dagster]) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dagster")
    products = folder / "products"
    products.mkdir()
    for shared in (path for path in (project.root() / "demo").iterdir() if path.is_file()):
        shutil.copy(shared, products)
    minutely = copy_of_the_product(products, MINUTELY, "* * * * *")
    files = {PRODUCT: copy_of_the_product(products, PRODUCT), MINUTELY: minutely}
    with ScriptedServer({f"GET {HEALTH}": Reply(503)}) as health:
        client = serve(folder, files, FLOE_HEALTH_URL=f"{health.url}{HEALTH}")
        found = Running(client, health)
        # It is running anyhow; but the daemon notes at a full minute since when, and first ticks a minute later.
        client.automation.start(found.minutely)
        yield found


@pytest.mark.requirement("WU3-AC4", "WU3-BC2")
def test_the_served_schema_accepts_every_document_of_the_client(running: Running) -> None:
    assert running.client.check_queries() == []
    assert require_valid(Webserver(running.client.url)) == len(DOCUMENTS)


@pytest.mark.requirement("WU3-AC4", "WU3-BC2")
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("query { repositoriesOrError { ... on RepositoryConnection { nodes { legacyName } } } }", "legacyName"),
        ("query { repositories { name } }", "Cannot query field 'repositories'"),
        ("query { runOrError(runId: 1, force: true) { __typename } }", "Unknown argument 'force'"),
        ("query { repositoriesOrError { ... on RepositoryList { name } } }", "Unknown type 'RepositoryList'"),
        ("query { broken", "Syntax Error"),
    ],
)
def test_a_field_that_is_gone_fails_before_it_is_asked_for(running: Running, document: str, words: str) -> None:
    web = Webserver(running.client.url)
    (found,) = problems(web, {"planted": document})
    assert found.startswith("planted: ")
    assert words in found
    with pytest.raises(WrongStateError, match="1 problems of the client's GraphQL"):
        require_valid(web, {"planted": document, "good": REPOSITORIES})


@pytest.mark.requirement("WU3-AC4", "WU3-BC2")
def test_repositories_come_as_a_repository_connection(running: Running) -> None:
    answer = requests.post(f"{running.client.url}/graphql", json={"query": REPOSITORIES}, timeout=30).json()
    assert answer["data"]["repositoriesOrError"]["__typename"] == "RepositoryConnection"
    assert {one.location for one in running.client.repositories()} == {PRODUCT, MINUTELY}
    assert running.client.server_info().dagster.startswith("1.")


@pytest.mark.requirement("WU3-AC5")
def test_sensors_and_schedules_are_wired_into_what_is_served(running: Running) -> None:
    for location in (PRODUCT, MINUTELY):
        slug, repository = location.replace("-", "_"), running.repository(location)
        sensors, schedules = (
            running.client.automation.sensors(repository),
            running.client.automation.schedules(repository),
        )
        assert {one.name: one.jobs for one in sensors} == {f"{slug}_when_healthy": (f"{slug}_build",)}
        assert {one.name: one.jobs for one in schedules} == {f"{slug}_schedule": (f"{slug}_build",)}
        assert [one.is_running for one in (*sensors, *schedules)] == [False, True]
    nodes = [node for node in running.client.assets.nodes() if node.location == PRODUCT]
    assert {f"{PRODUCT.replace('-', '_')}_build"} <= {job for node in nodes for job in node.jobs}
    assert len([node for node in nodes if node.checks]) > 3


@pytest.mark.requirement("WU3-AC6")
def test_a_return_of_health_starts_exactly_one_run_and_the_daemon_carries_it_through(running: Running) -> None:
    automation, repository = running.client.automation, running.repository()

    def look() -> Any:
        return automation.sensor(repository, "customer_360_when_healthy")

    def last(status: str) -> Any:
        return [tick for tick in look().ticks if tick.status == status]

    assert automation.dry_tick(look()).skip_reason.endswith("answered 503")
    automation.start(look())
    until(lambda: last("SKIPPED"), "a tick that sees no health", TICK_S)
    assert running.triggered("health") == []

    running.health.script[f"GET {HEALTH}"] = Reply(200)
    (tick,) = until(lambda: last("SUCCESS"), "a tick that sees health return", TICK_S)
    (run,) = tick.runs
    assert running.client.runs.wait(run, RUN_S).job == "customer_360_build"
    skipped = len(last("SKIPPED"))
    until(lambda: len(last("SKIPPED")) > skipped, "another look at the same health", TICK_S)
    assert [one.id for one in running.triggered("health")] == [run]
    automation.stop(look())
    assert not look().is_running
    assert {one.asset for one in running.client.runs.materializations(run)} >= {"customer_360/marts/mart_churn_risk"}
    checks = running.client.runs.checks(run)
    assert len(checks) > 3
    assert all(check.passed for check in checks)


@pytest.mark.requirement("WU3-AC5")
def test_a_tick_of_the_schedule_starts_a_run(running: Running) -> None:
    def fired() -> Any:
        ticks = running.minutely.ticks
        assert [tick.error for tick in ticks if tick.error] == []
        return [tick for tick in ticks if tick.runs]

    tick = until(fired, "a tick of a schedule that comes every minute", TICK_S)[-1]
    running.client.automation.stop(running.minutely)
    run = running.client.runs.wait(tick.runs[0], RUN_S)
    assert (run.job, run.location, run.tags["floe/trigger"]) == ("customer_360_minutely_build", MINUTELY, "schedule")


@pytest.mark.requirement("WU3-AC4")
def test_a_run_is_launched_by_graphql_for_some_assets_with_tags(running: Running) -> None:
    parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    wanted = {"customer_360/raw/raw_transactions", "customer_360/staging/stg_transactions"}
    runs = running.client.runs
    run = runs.launch(running.repository(), "customer_360_build", assets=sorted(wanted), tags={"traceparent": parent})
    done = runs.wait(run.id, RUN_S)
    assert done.tags["traceparent"] == parent
    assert {one.asset for one in runs.materializations(run.id)} == wanted


@pytest.mark.requirement("WU3-AC4")
def test_a_job_that_is_not_there_is_told(running: Running) -> None:
    with pytest.raises(WrongStateError, match="launchRun with PipelineNotFoundError"):
        running.client.runs.launch(running.repository(), "no_such_job")


@pytest.mark.requirement("WU3-BC3")
def test_a_sensor_without_a_target_is_caught_before_its_tick() -> None:
    sensor = SensorDefinition(name="aimless", evaluation_fn=lambda _context: RunRequest())
    definitions = Definitions(sensors=[sensor])
    Definitions.validate_loadable(definitions)  # Dagster itself takes it
    with pytest.raises(Exception, match="lacking a specified target") as caught:
        sensor.evaluate_tick(build_sensor_context())
    assert not isinstance(caught.value, FloeError)
    with pytest.raises(FloeError, match="sensor aimless has no target"):
        check_definitions(definitions)

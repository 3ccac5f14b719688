"""Runs of a deployed Dagster from the command line, and what it serves and does in a few lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import UsageError
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from floe_ops.clients.dagster import Dagster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from floe_ops.clients.dagster import AssetNode, CodeLocation, Repository, Run, Schedule, Sensor
    from floe_ops.clients.dagster.answers import Instigator

LAST_RUNS = 10


@dataclass(frozen=True)
class Seen:
    """What a Dagster serves and does."""

    version: str
    locations: tuple[CodeLocation, ...]
    assets: list[AssetNode]
    schedules: list[Schedule]
    sensors: list[Sensor]
    runs: list[Run]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"Dagster {self.version}"
        for location in self.locations:
            state = "loading" if location.is_loading else location.cause[:300] or "loaded"
            assets = [node for node in self.assets if node.location == location.name]
            checks = sum(len(node.checks) for node in assets)
            yield f"  location  {location.name}: {state}, {len(assets)} assets, {checks} checks"
        yield from (f"  schedule  {one.name} ({one.cron} {one.timezone}): {_doing(one)}" for one in self.schedules)
        yield from (f"  sensor    {one.name}: {_doing(one)}" for one in self.sensors)
        for run in self.runs:
            took = f" in {run.ended - run.started:.1f} s" if run.started and run.ended else ""
            yield f"  run       {run.id[:8]} {run.job}: {run.status}{took}"


def _doing(one: Instigator) -> str:
    last = f", last tick {one.ticks[0].status}" if one.ticks else ""
    return f"{'running' if one.is_running else 'stopped'}, starts {', '.join(one.jobs) or 'nothing'}{last}"


def look(url: str) -> Seen:
    """What the Dagster at `url` serves and does.

    Raises:
        MissingToolError: It does not answer.
        WrongStateError: Something else answers, or a Dagster whose schema lacks what is asked for.
    """
    client = Dagster(url)
    client.require_valid_queries()
    repositories = client.repositories()
    return Seen(
        version=client.server_info().dagster,
        locations=client.locations(),
        assets=client.assets.nodes(),
        schedules=[one for found in repositories for one in client.automation.schedules(found, ticks=1)],
        sensors=[one for found in repositories for one in client.automation.sensors(found, ticks=1)],
        runs=client.runs.last(LAST_RUNS),
    )


def launch(url: str, job: str, location: str, assets: Sequence[str], deadline_s: float) -> Iterator[str]:
    """Launch a job in the caller's trace and wait for it, a line for each thing that happens.

    Args:
        url: The webserver's.
        job: The job's name.
        location: The code location that has it; empty where only one can.
        assets: Keys of those to make; all where there is none.
        deadline_s: Seconds to wait at most.

    Raises:
        MissingToolError: Dagster does not answer.
        UsageError: No code location has such a job, or several have.
        WrongStateError: The run failed; says which step, its error, and the last lines it printed.
        NotReadyError: It is not over in time.
    """
    client = Dagster(url)
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    run = client.runs.launch(_home(client, job, location), job, assets=assets, tags=carrier)
    yield f"launched {job}: {client.url}/runs/{run.id}"
    done = client.runs.wait(run.id, deadline_s)
    yield f"✓ {done.status} in {(done.ended or 0) - (done.started or 0):.1f} s"
    for made in client.runs.materializations(run.id):
        yield f"  {made.asset}"
    checks = client.runs.checks(run.id)
    yield f"✓ {sum(check.passed for check in checks)} of {len(checks)} checks passed"


def _home(client: Dagster, job: str, location: str) -> Repository:
    if location:
        return client.repository(location)
    having = {node.location for node in client.assets.nodes() if job in node.jobs}
    if len(having) == 1:
        return client.repository(having.pop())
    known = ", ".join(sorted(having)) or "none of " + ", ".join(one.location for one in client.repositories())
    raise UsageError(
        f"the job {job!r} is not to be told apart" if having else f"there is no job {job!r} for assets",
        where=client.url,
        why=f"code locations that have it: {known}",
        remedy="name the code location by --location",
    )

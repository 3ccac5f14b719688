"""What the client makes of Dagster's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
"""The statuses of a run that will not change any more."""


@dataclass(frozen=True)
class ServerInfo:
    """Versions of the running webserver."""

    webserver: str
    dagster: str
    graphql: str


@dataclass(frozen=True)
class Repository:
    """A repository and the code location that serves it."""

    name: str
    location: str

    def selector(self) -> dict[str, str]:
        """How GraphQL's inputs name it."""
        return {"repositoryName": self.name, "repositoryLocationName": self.location}


@dataclass(frozen=True)
class CodeLocation:
    """One code location of the workspace.

    Attributes:
        name: As the workspace names it.
        is_loading: Whether Dagster is still about it.
        error: Dagster's message where it could not be loaded, with its causes; empty otherwise.
        repositories: Names of what it serves.
    """

    name: str
    is_loading: bool
    error: str
    repositories: tuple[str, ...]

    @property
    def cause(self) -> str:
        """The innermost message of the error, on one line: what to mend; empty without an error."""
        return " ".join(self.error.rpartition("; caused by ")[2].split())

    @property
    def is_loaded(self) -> bool:
        """Whether it is served without an error."""
        return not self.is_loading and not self.error


@dataclass(frozen=True)
class Loaded:
    """A workspace all of whose code locations are loaded."""

    version: str
    locations: tuple[CodeLocation, ...]


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        id: Its id.
        job: The job that it runs.
        status: One of Dagster's words: QUEUED, STARTING, STARTED, SUCCESS, FAILURE, CANCELED, ….
        location: The code location that it belongs to; empty where Dagster does not know it.
        started: Seconds since the epoch; None while it waits.
        ended: Seconds since the epoch; None while it runs.
        tags: Value by name.
    """

    id: str
    job: str
    status: str
    location: str = ""
    started: float | None = None
    ended: float | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether its status is a last one."""
        return self.status in ENDED


@dataclass(frozen=True)
class Materialization:
    """That a run made an asset: its key, `a/b/c`, and the metadata by label, each as the value that Dagster shows."""

    asset: str
    run: str
    step: str
    metadata: dict[str, Any]


@dataclass(frozen=True)
class CheckResult:
    """What one asset check found in a run."""

    asset: str
    check: str
    passed: bool
    severity: str
    metadata: dict[str, Any]


@dataclass(frozen=True)
class AssetNode:
    """An asset as the workspace has it."""

    key: str
    group: str
    location: str
    kinds: tuple[str, ...]
    jobs: tuple[str, ...]
    upstream: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Tick:
    """One tick of a schedule or sensor: STARTED, SKIPPED, SUCCESS or FAILURE, and the runs that it asked for."""

    status: str
    at: float
    runs: tuple[str, ...]
    skip_reason: str
    error: str


@dataclass(frozen=True)
class Instigator:
    """A schedule or a sensor.

    Attributes:
        name: As the code location names it.
        repository: What serves it.
        is_running: Whether the daemon evaluates it.
        jobs: What it starts; empty where it has no target.
        state: Dagster's id of its state, by which it is stopped.
        ticks: The last ones, the newest first.
    """

    name: str
    repository: Repository
    is_running: bool
    jobs: tuple[str, ...]
    state: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Schedule(Instigator):
    """A schedule, with its cron line and its timezone."""

    cron: str = ""
    timezone: str = ""


@dataclass(frozen=True)
class Sensor(Instigator):
    """A sensor, with the least seconds between two of its ticks."""

    interval_s: int = 0


@dataclass(frozen=True)
class DryTick:
    """What a tick would do: the keys of the runs that it would ask for, its skip reason or error, its next cursor."""

    run_keys: tuple[str, ...]
    skip_reason: str
    error: str
    cursor: str

"""dbt: runs a project's commands in process and says what each node did."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError, UsageError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path


class DbtError(FloeError):
    """dbt ran and failed; names the node or file and dbt's own reason."""

    exit_code = ExitCode.WRONG


class DbtProjectError(DbtError):
    """The project cannot be parsed: a missing file, broken SQL or YAML."""


class DbtTargetError(UsageError):
    """The profile has no such target; the remedy names those it has."""


class DbtCommand(StrEnum):
    """What a project can be asked to do."""

    DEBUG = "debug"
    DEPS = "deps"
    PARSE = "parse"
    COMPILE = "compile"
    SEED = "seed"
    RUN = "run"
    TEST = "test"
    BUILD = "build"
    DOCS = "docs generate"


@dataclass(frozen=True)
class DbtRequest:
    """One command for one project.

    Attributes:
        command: What to do.
        project_dir: The folder with `dbt_project.yml`.
        profiles_dir: The folder with `profiles.yml`.
        target: The profile's output to use, which is the lane's name.
        target_path: Where dbt writes its artifacts; outside of the project, so that runs do not meet.
        select: dbt's selection; empty for all.
        variables: dbt's `vars`.
        environment: Variables that the profile reads, set while the command runs; may hold secrets, so never shown.
        full_refresh: Rebuild incremental models.
    """

    command: DbtCommand
    project_dir: Path
    profiles_dir: Path
    target: str
    target_path: Path
    select: tuple[str, ...] = ()
    variables: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    full_refresh: bool = False


@dataclass(frozen=True)
class DbtTest:
    """What a test asks, and of what.

    Attributes:
        kind: The generic test's name with its package where it has one, for example `unique` or `dbt_utils.recency`;
            `singular` for a query of its own, `unit` for a unit test.
        model: Short name of the model, seed, snapshot or source that it is about; empty where there are several.
        column: The column that it is about; empty where it is about rows.
        severity: `error`, or `warn` for a test that was declared to warn only.
        tags: Tags of the test and of its model.
        tier: The model's `meta.tier`; empty without one.
    """

    kind: str
    model: str = ""
    column: str = ""
    severity: str = "error"
    tags: frozenset[str] = frozenset()
    tier: str = ""


@dataclass(frozen=True)
class DbtNode:
    """What one node did.

    Attributes:
        unique_id: dbt's id, for example `model.customer_360.stg_orders`.
        name: The node's short name.
        resource_type: `model`, `seed`, `test`, `snapshot`, …
        status: dbt's word: `success`, `pass`, `warn`, `error`, `fail`, `skipped`.
        started_at: When it began, in UTC; None when it never ran.
        finished_at: When it ended, in UTC; None when it never ran.
        rows: Rows written, or failures of a test; None when dbt does not say.
        message: dbt's own words, which hold the database's.
        path: The node's file in the project; empty where it has none.
        compiled: The file with the SQL that ran, or its place `file:line` where the database named a line.
        test: What a test asks, in the results of a finished command; None for other nodes.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rows: int | None = None
    message: str = ""
    path: str = ""
    compiled: str = ""
    test: DbtTest | None = None


@dataclass(frozen=True)
class DbtResult:
    """What one command did.

    Attributes:
        command: What was asked.
        success: Whether every node passed.
        elapsed_s: Seconds of the whole command.
        nodes: What each node did, in dbt's order.
    """

    command: DbtCommand
    success: bool
    elapsed_s: float
    nodes: tuple[DbtNode, ...] = ()

    @property
    def failures(self) -> tuple[DbtNode, ...]:
        """The nodes that failed themselves; those skipped because of them are left out."""
        return tuple(
            node for node in self.nodes if node.status in {"error", "fail", "runtime error", "partial success"}
        )

    def raise_for_failure(self) -> None:
        """Do nothing after a success.

        Raises:
            DbtError: Names the first node that failed, its SQL's place, and the database's words.
        """
        if self.success:
            return
        if not self.failures:
            raise DbtError(
                f"dbt {self.command.value} failed", why="dbt named no node", remedy="see dbt.log beside the target"
            )
        first, *others = self.failures
        more = f" (and {len(others)} more)" if others else ""
        tested = first.status == "fail"
        raise DbtError(
            f"{first.resource_type} {first.name} failed{more}",
            where=first.compiled or first.path,
            why=first.message,
            remedy="run that SQL to see the rows, and correct the model" if tested else f"correct {first.path}",
        )


class DBTPlugin(PluginMetadata[C]):
    """A dbt engine."""

    plugin_type: ClassVar[PluginType] = PluginType.DBT

    @abstractmethod
    def run(
        self,
        request: DbtRequest,
        *,
        on_node: Callable[[DbtNode], None] | None = None,
        on_start: Callable[[DbtNode], None] | None = None,
    ) -> DbtResult:
        """Run one command; a node that fails is told in the result, not by an exception.

        Args:
            request: What to run, and where.
            on_node: Called with each node as it ends, possibly from another thread.
            on_start: Called with each node as it begins, with the status `started`, possibly from another thread.

        Raises:
            DbtProjectError: The project cannot be parsed.
            DbtTargetError: The profile has no such target.
            DbtError: dbt ended before it ran any node.
        """

    @abstractmethod
    def engine_version(self) -> str:
        """The version of the dbt engine that runs, for example `1.11.16`."""

"""Compute: the engine that a product's models run on, as dbt sees it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


class ComputeError(FloeError):
    """The engine cannot do what was asked."""

    exit_code = ExitCode.WRONG


class LaneNotSupportedError(ComputeError):
    """The engine cannot build in that lane."""


class Lane(StrEnum):
    """Where a build leaves its tables: in the engine's own files, or in the Iceberg catalog."""

    DUCKDB = "duckdb"
    ICEBERG = "iceberg"


@dataclass(frozen=True)
class TargetRequest:
    """What a dbt target is made for.

    Attributes:
        product: The product's name, for example `customer-360`.
        lane: Where the build leaves its tables.
    """

    product: str
    lane: Lane


@dataclass(frozen=True)
class BuiltTable:
    """A table or view that a build left in the engine, by dbt's names for it."""

    schema: str
    name: str


ArrowRows: TypeAlias = Any
"""A `pyarrow.RecordBatchReader`; untyped here because floe_core does not depend on Arrow."""


class ComputePlugin(PluginMetadata[C]):
    """An engine that dbt has an adapter for."""

    plugin_type: ClassVar[PluginType] = PluginType.COMPUTE
    adapter: ClassVar[str]
    """The distribution of dbt's adapter, for example `dbt-duckdb`."""
    lanes: ClassVar[frozenset[Lane]]

    @abstractmethod
    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        """One entry of `outputs` in a dbt profile, as plain JSON values.

        A secret appears as dbt's `{{ env_var('NAME') }}` only, and no value depends on this machine.

        Raises:
            LaneNotSupportedError: The lane is not in `lanes`.
        """

    def database_file(self, request: TargetRequest, project_dir: Path) -> Path | None:
        """The file that a build writes its tables into, for others that write there too; None without such a file.

        Args:
            request: The product and the lane.
            project_dir: The folder that dbt runs in, which relative paths of the target are taken from.
        """
        del request, project_dir  # an engine that is a server has no file
        return None

    def rows(self, request: TargetRequest, project_dir: Path, table: BuiltTable) -> AbstractContextManager[ArrowRows]:
        """The rows of a table that a build left, as a stream, so that they can be put into a catalog.

        An engine that writes into the catalog itself needs none of this.

        Args:
            request: The product and the lane that were built.
            project_dir: The folder that dbt ran in, which relative paths of the target are taken from.
            table: The table.

        Raises:
            ComputeError: The engine does not hand out its tables, or has no such table.
        """
        raise ComputeError(
            f"the compute plugin {self.name} does not hand out its tables",
            where=f"{table.schema}.{table.name} of {request.product} in {project_dir.name}",
            why="so they cannot be published to the catalog",
            remedy="choose a compute plugin that does, or build in another lane",
        )

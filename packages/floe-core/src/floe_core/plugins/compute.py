"""Compute: the engine that a product's models run on, as dbt sees it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.plugins.catalog import CatalogAddress
    from floe_core.plugins.storage import StorageAddress


ArrowRows: TypeAlias = Any
"""A `pyarrow.RecordBatchReader`; untyped here because floe_core does not depend on PyArrow."""


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
        catalog: Where the tables are named; given for the Iceberg lane.
        storage: Where they lie; given for the Iceberg lane.
    """

    product: str
    lane: Lane
    catalog: CatalogAddress | None = None
    storage: StorageAddress | None = None

    @property
    def namespace(self) -> str:
        """The product's name as namespaces spell it: `customer-360` is `customer_360`."""
        return self.product.replace("-", "_")


class ComputePlugin(PluginMetadata[C]):
    """An engine that dbt has an adapter for."""

    plugin_type: ClassVar[PluginType] = PluginType.COMPUTE
    adapter: ClassVar[str]
    """The distribution of dbt's adapter, for example `dbt-duckdb`; a lane may need one that is built upon it, whose
    name begins with it."""
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

    def landed(self, database: Path, schema: str, table: str) -> ArrowRows | None:
        """The rows of a table that a loader left in the build's file; None where the file has no such table.

        A stream: the file is open only while it is read, and no more than some batches are in memory.

        Args:
            database: What `database_file` gave.
            schema: The schema that the loader wrote to.
            table: The table's name.

        Raises:
            ComputeError: The file cannot be read.
        """
        del database, schema, table  # an engine that is a server has no file
        return None

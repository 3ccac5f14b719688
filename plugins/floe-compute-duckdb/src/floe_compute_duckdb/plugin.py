"""The compute plugin `duckdb`: models run in DuckDB, through dbt-duckdb.

Both lanes build in a DuckDB file: dbt's `table` materialization renames, which an attached Iceberg catalog refuses.
In the Iceberg lane the finished tables are published to the catalog from that file.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from floe_core.plugins import (
    ComputeError,
    ComputePlugin,
    Lane,
    LaneNotSupportedError,
    PluginConfig,
    TargetRequest,
)
from pydantic import Field, field_validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_core.plugins import ArrowRows, BuiltTable

PATH_ENV = "FLOE_DUCKDB_PATH"
"""Names the database file where a build keeps it elsewhere than the configuration says."""
MEMORY = ":memory:"
BATCH_ROWS = 50_000


class DuckDBConfig(PluginConfig):
    """How DuckDB runs.

    Attributes:
        path: The database file, relative to the folder that dbt runs in; `{product}` and `{lane}` are filled in;
            `:memory:` keeps nothing. The variable FLOE_DUCKDB_PATH wins over it.
        threads: How many models run at the same time, and how many threads DuckDB uses.
        memory_limit: DuckDB's own limit, for example `2GB`; DuckDB's default when empty.
    """

    path: Annotated[str, Field(min_length=1, max_length=1024, examples=["target/{product}-{lane}.duckdb"])] = (
        "target/{product}-{lane}.duckdb"
    )
    threads: Annotated[int, Field(ge=1, le=256, strict=True)] = 4
    memory_limit: Annotated[
        str, Field(pattern=r"^([0-9]+(\.[0-9]+)? ?[KMGT]i?B)?$", description="a size", examples=["2GB"])
    ] = ""

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        filled = path.replace("{product}", "p").replace("{lane}", "l")
        if not filled.isprintable() or any(mark in filled for mark in "{}'\"\\"):
            raise ValueError("only {product} and {lane} are filled in; quotes and backslashes are not taken")
        pure = PurePosixPath(filled)
        if filled != MEMORY and (pure.is_absolute() or ".." in pure.parts):
            raise ValueError("the file lies below the folder that dbt runs in: no absolute path, no ..")
        return path


class DuckDBComputePlugin(ComputePlugin[DuckDBConfig]):
    """DuckDB, one file a product and lane."""

    name: ClassVar[str] = "duckdb"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.compute.duckdb"
    description: ClassVar[str] = "DuckDB in process, a file a product and lane"
    config_model: ClassVar[type[PluginConfig]] = DuckDBConfig
    adapter: ClassVar[str] = "dbt-duckdb"
    lanes: ClassVar[frozenset[Lane]] = frozenset({Lane.DUCKDB, Lane.ICEBERG})

    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        """The profile output of dbt-duckdb; see `ComputePlugin.dbt_target`.

        Raises:
            LaneNotSupportedError: An in-memory database was asked for the Iceberg lane.
        """
        path = self._path(request)
        if path == MEMORY and request.lane is Lane.ICEBERG:
            raise LaneNotSupportedError(
                f"duckdb cannot build {request.product} in the Iceberg lane",
                why="path is :memory:, so nothing is left to publish when dbt ends",
                remedy="give path a file, or leave it out",
            )
        # UTC, so that a build gives the same dates on every machine.
        settings: dict[str, Any] = {"TimeZone": "UTC", "threads": self.config.threads}
        if self.config.memory_limit:
            settings["memory_limit"] = self.config.memory_limit
        return {
            "type": "duckdb",
            "path": path if path == MEMORY else f"{{{{ env_var('{PATH_ENV}', '{path}') }}}}",
            "schema": "main",
            "threads": self.config.threads,
            "settings": settings,
        }

    def database_file(self, request: TargetRequest, project_dir: Path) -> Path | None:
        """The database file; None where it is kept in memory."""
        path = os.environ.get(PATH_ENV) or self._path(request)
        return None if path == MEMORY else project_dir / path

    @contextmanager
    def rows(self, request: TargetRequest, project_dir: Path, table: BuiltTable) -> Iterator[ArrowRows]:
        """The rows of a table in the database file, which is opened for reading only; see `ComputePlugin.rows`.

        Raises:
            ComputeError: There is no such file or table, or another process holds the file.
        """
        import duckdb

        file = self.database_file(request, project_dir) or MEMORY
        name = ".".join(f'"{part.replace(chr(34), chr(34) * 2)}"' for part in (table.schema, table.name))
        try:
            with duckdb.connect(str(file), read_only=True) as connection:
                connection.execute("set timezone = 'UTC'")
                yield connection.execute(f"from {name}").to_arrow_reader(BATCH_ROWS)
        except duckdb.Error as error:
            raise ComputeError(
                f"the table {table.schema}.{table.name} cannot be read",
                where=str(file),
                why=str(error).splitlines()[0],
                remedy="build the product again, and see that nothing else holds the file",
            ) from None

    def _path(self, request: TargetRequest) -> str:
        return self.config.path.replace("{product}", request.product).replace("{lane}", request.lane.value)

"""The compute plugin `duckdb`: models run in DuckDB, through dbt-duckdb.

In the DuckDB lane everything lies in one file a product. In the Iceberg lane dbt's adapter `duckdb_iceberg` makes
the tables in the catalog itself, and a file of that lane holds views and what is in the making.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from floe_core.plugins import (
    ArrowRows,
    ComputePlugin,
    Lane,
    LaneNotSupportedError,
    PluginConfig,
    TargetRequest,
)
from pydantic import Field, field_validator

if TYPE_CHECKING:
    from pathlib import Path

PATH_ENV = "FLOE_DUCKDB_PATH"
"""Names the database file where a build keeps it elsewhere than the configuration says."""
MEMORY = ":memory:"


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
        """The profile output of dbt-duckdb, or of the adapter upon it that builds in a catalog.

        Raises:
            LaneNotSupportedError: The Iceberg lane was asked for without a file, a catalog or a store.
        """
        path = self._path(request)
        # UTC, so that a build gives the same dates on every machine.
        settings: dict[str, Any] = {"TimeZone": "UTC", "threads": self.config.threads}
        if self.config.memory_limit:
            settings["memory_limit"] = self.config.memory_limit
        target = {
            "type": "duckdb",
            "path": path if path == MEMORY else f"{{{{ env_var('{PATH_ENV}', '{path}') }}}}",
            "schema": "main",
            "threads": self.config.threads,
            "settings": settings,
        }
        return target if request.lane is Lane.DUCKDB else {**target, **_in_catalog(request, path)}

    def database_file(self, request: TargetRequest, project_dir: Path) -> Path | None:
        """The database file; None where it is kept in memory."""
        path = os.environ.get(PATH_ENV) or self._path(request)
        return None if path == MEMORY else project_dir / path

    def landed(self, database: Path, schema: str, table: str) -> ArrowRows | None:
        """The rows of a table in the file; see `ComputePlugin.landed`.

        Raises:
            ComputeError: The file cannot be read, for example because another process writes to it.
        """
        from floe_compute_duckdb.landing import landed

        return landed(database, schema, table)

    def _path(self, request: TargetRequest) -> str:
        return self.config.path.replace("{product}", request.product).replace("{lane}", request.lane.value)


def _in_catalog(request: TargetRequest, path: str) -> dict[str, Any]:
    """What the Iceberg lane's target says besides that of the file."""
    if path == MEMORY:
        raise LaneNotSupportedError(
            f"duckdb cannot build {request.product} in the Iceberg lane",
            why="path is :memory:, and the views of a run would be gone when its tests ask for them",
            remedy="give path a file, or leave it out",
        )
    if request.catalog is None or request.storage is None:
        raise LaneNotSupportedError(
            f"duckdb cannot build {request.product} in the Iceberg lane",
            why="it is not told where the catalog and the object store are",
            remedy="choose plugins.catalog and plugins.storage in the manifest",
        )
    catalog = {name: value for name, value in asdict(request.catalog).items() if value}
    return {
        "type": "duckdb_iceberg",
        "namespace": request.namespace,
        "catalog": catalog,
        "storage": {name: value for name, value in asdict(request.storage).items() if value != ""},
    }

"""DuckDB's extensions come from wheels of the environment: nothing is fetched while models run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
from floe_core.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

NEEDED: Final = ("httpfs", "avro", "iceberg")


def load(connection: duckdb.DuckDBPyConnection, names: Iterable[str] = NEEDED) -> None:
    """Load the extensions from their wheels.

    Raises:
        MissingToolError: A wheel is missing, of another version than DuckDB, or DuckDB refuses it; says which.
    """
    for name in names:
        path = _file(name)
        try:
            connection.execute(f"LOAD '{str(path).replace(chr(39), chr(39) * 2)}'")
        except duckdb.Error as error:
            raise _missing(name, f"DuckDB refuses {path}: {error}") from error


def _file(name: str) -> Path:
    version = f"v{duckdb.__version__}"
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    if found is None or not found.submodule_search_locations:
        raise _missing(name, "the wheel is not installed")
    folder = Path(found.submodule_search_locations[0]) / "extensions"
    path = folder / version / f"{name}.duckdb_extension"
    if not path.is_file():
        there = ", ".join(sorted(entry.name for entry in folder.glob("v*"))) or "nothing"
        raise _missing(name, f"the wheel holds {there}, DuckDB is {version}")
    return path


def _missing(name: str, why: str) -> MissingToolError:
    wheel = f"duckdb-extension-{name}=={duckdb.__version__}"
    return MissingToolError(
        f"DuckDB's extension {name} cannot be loaded", why=why, remedy=f"install {wheel} into the environment of dbt"
    )

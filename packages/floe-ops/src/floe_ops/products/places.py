"""Where a build of a demo product keeps what it makes: below `.floe/products/<name>/`, nothing in its own folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_ops import project

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.plugins import Lane

DATABASE_ENV = "FLOE_DUCKDB_PATH"


@dataclass(frozen=True)
class Places:
    """The places of one product in one lane.

    Attributes:
        target: What both lanes share; `floe_core.running` keeps its files here.
        result: What the last build in this lane came to.
        database: The engine's file: all tables in the DuckDB lane, views in the Iceberg lane.
        dbt: dbt's own artifacts of this lane.
        read_back: The catalog's tables as they were read back.
        scaled: The generated seeds of a build with `--scale`.
    """

    target: Path
    result: Path
    database: Path
    dbt: Path
    read_back: Path
    scaled: Path

    @classmethod
    def of(cls, name: str, lane: Lane, home: Path | None = None) -> Places:
        """The places of product `name`; below `.floe/products` unless `home` says otherwise."""
        target = (home or project.state() / "products").resolve() / name
        lane_dir = target / "lanes" / lane.value
        return cls(
            target=target,
            result=target / f"{lane.value}.json",
            database=lane_dir / f"{slug(name)}.duckdb",
            dbt=lane_dir / "dbt",
            read_back=lane_dir / "read_back.duckdb",
            scaled=target / "scaled",
        )


def warm(lane: Lane, home: Path | None = None) -> Path:
    """Where the project that is built before all others is kept; not among the products."""
    return (home or project.state()).resolve() / ".warm" / lane.value


def slug(name: str) -> str:
    """A product's name as namespaces and databases spell it: `customer-360` is `customer_360`."""
    return name.replace("-", "_")

"""Two lanes, one answer: what the last builds of a product found must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError
from floe_core.plugins import Lane

from floe_ops.products.places import Places
from floe_ops.products.result import BuildResult

if TYPE_CHECKING:
    from pathlib import Path


def compare(product: str, *, home: Path | None = None) -> tuple[BuildResult, BuildResult]:
    """The last results of both lanes, DuckDB first.

    Raises:
        MissingToolError: A lane was never built.
        WrongStateError: They differ, or were built from different files; names every difference.
    """
    files, catalog = (BuildResult.read(Places.of(product, lane, home).result) for lane in Lane)
    if (files.source, files.scale) != (catalog.source, catalog.scale):
        raise WrongStateError(
            f"the lanes of {product} were built from different files",
            why=f"duckdb from {files.source} x {files.scale}, iceberg from {catalog.source} x {catalog.scale}",
            remedy="build both again: invoke dbt.demo --lane duckdb, then --lane iceberg",
        )
    found = differences(files, catalog)
    if found:
        raise WrongStateError(
            f"the lanes of {product} differ (duckdb against iceberg)",
            where=str(Places.of(product, Lane.ICEBERG, home).result),
            why="\n         ".join(found),
            remedy="build both again; if they still differ, the catalog holds what was not built here",
        )
    return files, catalog


def differences(files: BuildResult, catalog: BuildResult) -> list[str]:
    """What differs in tables and truths, in words."""
    theirs = {table.name: table for table in catalog.tables}
    names = {table.name for table in files.tables}
    found = [f"{name}: only in the lane iceberg" for name in sorted(theirs.keys() - names)]
    for table in files.tables:
        other = theirs.get(table.name)
        found += table.differences(other) if other else [f"{table.name}: only in the lane duckdb"]
    if files.truths != catalog.truths:
        found.append("the planted truths were answered differently")
    return found

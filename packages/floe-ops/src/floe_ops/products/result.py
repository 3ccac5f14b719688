"""What a build did, as it is kept in `.floe/products/<name>/<lane>.json`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from floe_core.errors import MissingToolError
from floe_core.plugins import Lane
from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from pathlib import Path


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Record):
    """One command of the lifecycle, in seconds."""

    name: str
    seconds: float


class ModelTiming(_Record):
    """One model, in seconds from its compilation to its table."""

    name: str
    seconds: float


class Truth(_Record):
    """A planted truth that the build found again.

    Attributes:
        id: Its name.
        says: What the number is, in words.
        found: The number, the id or the ids, as text.
    """

    id: str
    says: str
    found: str | tuple[str, ...]


class TableFacts(_Record):
    """What a table holds, in figures that any engine can recompute.

    Attributes:
        name: The model, seed or snapshot.
        rows: Rows.
        columns: Type by column, as Iceberg keeps it.
        sums: Sum of each exact numeric column, as decimal text; null values are left out.
        fingerprint: Sum of DuckDB's hash of all rows: equal rows in any order give the same number.
        snapshot_id: The Iceberg snapshot; None in the DuckDB lane.
        location: The Iceberg table's metadata file; empty in the DuckDB lane.
        partitions: Iceberg's partition fields, for example `month(day)`; empty in the DuckDB lane.
    """

    name: str
    rows: int
    columns: dict[str, str]
    sums: dict[str, str]
    fingerprint: str
    snapshot_id: int | None = None
    location: str = ""
    partitions: tuple[str, ...] = ()

    def differences(self, other: TableFacts) -> list[str]:
        """What differs in content, in words; places do not count."""
        found = [] if self.rows == other.rows else [f"{self.name}: {self.rows} rows against {other.rows}"]
        for column in sorted(self.columns.keys() | other.columns.keys()):
            mine, theirs = (one.columns.get(column, "no such column") for one in (self, other))
            if mine != theirs:
                found.append(f"{self.name}.{column}: {mine} against {theirs}")
        found += [
            f"{self.name}.{column}: {total} against {other.sums[column]}"
            for column, total in sorted(self.sums.items())
            if column in other.sums and total != other.sums[column]
        ]
        if not found and self.fingerprint != other.fingerprint:
            found.append(f"{self.name}: counts and sums are equal, rows differ")
        return found


class BuildResult(_Record):
    """One product, built once in one lane.

    Attributes:
        product: The product's name.
        lane: Where its tables are.
        source: Hash of the product's and the platform's files that it was compiled from.
        engine: dbt's version.
        rebuilt: Whether the lane's database was there before, so that this was a repeated run.
        enforcement: What ENFORCE said, in one sentence.
        steps: The lifecycle in its order.
        models: Every model that was built, in the order in which they ended.
        tests_passed: Data tests and unit tests that passed.
        truths: The planted truths, all of them found.
        tables: All tables of the product: seeds, models that are no views, snapshots.
        released: The version that the output ports were released as; empty in the DuckDB lane.
        scale: How many times the committed facts were built; 1 for the committed seeds themselves.
        wall_s: Seconds from the first to the last step.
    """

    product: str
    lane: Lane
    source: str
    engine: str
    rebuilt: bool
    enforcement: str
    steps: tuple[Step, ...]
    models: tuple[ModelTiming, ...]
    tests_passed: int
    truths: tuple[Truth, ...]
    tables: tuple[TableFacts, ...]
    released: str
    scale: int
    wall_s: float

    def write(self, path: Path) -> None:
        """Put the result into place in one step; a reader sees the old one or the new one."""
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The result of the last build.

        Raises:
            MissingToolError: There is none, or its file is of another version of this project.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise MissingToolError(
                f"there is no result of the lane {path.stem}",
                where=str(path),
                why=str(error).splitlines()[0],
                remedy=f"invoke dbt.demo --lane {path.stem}",
            ) from error

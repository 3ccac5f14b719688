"""Seeds: CSV files as exact text, which Spark turns into the declared types; an empty field is null."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_compute_spark.types import spark_type

if TYPE_CHECKING:
    from collections.abc import Mapping


class SeedError(Exception):
    """A seed cannot be read; names the file and the line."""


@dataclass(frozen=True)
class Seed:
    """A file's rows as text.

    Attributes:
        types: Spark's type by column.
        rows: A tuple of text or None for each line.
    """

    types: dict[str, str]
    rows: list[tuple[str | None, ...]]

    def frame(self, spark: Any) -> Any:
        """A DataFrame with the declared types; a text that does not fit fails when rows are asked for."""
        text = ", ".join(f"`{name}` string" for name in self.types)
        casts = [f"cast(`{name}` as {kind}) as `{name}`" for name, kind in self.types.items()]
        return spark.createDataFrame(self.rows, schema=text).selectExpr(*casts)


def read(path: str, delimiter: str, declared: Mapping[str, str]) -> Seed:
    """The seed in the file `path`.

    A column without a declared type is text: what a type is guessed to be depends on the engine.

    Raises:
        SeedError: There is no such file, it is not UTF-8, or a line has too many or too few fields.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            lines = csv.reader(stream, delimiter=delimiter, strict=True)
            names = next(lines, [])
            rows = [_row(path, lines.line_num, len(names), line) for line in lines if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SeedError(f"the seed {path} cannot be read: {error}") from error
    kinds = {name.lower(): spark_type(kind) for name, kind in declared.items()}
    return Seed({name: kinds.get(name.lower(), "string") for name in names}, rows)


def _row(path: str, number: int, width: int, line: list[str]) -> tuple[str | None, ...]:
    if len(line) != width:
        raise SeedError(f"{path}:{number}: {len(line)} fields where the header has {width}")
    return tuple(field or None for field in line)

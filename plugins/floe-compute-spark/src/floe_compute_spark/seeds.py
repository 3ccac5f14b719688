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
        path: The file.
        types: Spark's type by column.
        rows: The line's number in the file, and its fields as text or None.
    """

    path: str
    types: dict[str, str]
    rows: list[tuple[int | str | None, ...]]

    def frame(self, spark: Any) -> Any:
        """A DataFrame with the declared types.

        Raises:
            SeedError: A text is no value of its column's type; names the line.
        """
        text = ", ".join(["`__line` int", *(f"`{name}` string" for name in self.types)])
        written = spark.createDataFrame(self.rows, schema=text)
        typed = {name: kind for name, kind in self.types.items() if kind != "string"}
        wrong = [f"(`{name}` is not null and try_cast(`{name}` as {kind}) is null)" for name, kind in typed.items()]
        if wrong and (found := written.where(" or ".join(wrong)).orderBy("__line").limit(1).collect()):
            raise self._misfit(spark, dict(zip(["", *self.types], found[0], strict=True)), found[0][0])
        return written.selectExpr(*(f"cast(`{name}` as {kind}) as `{name}`" for name, kind in self.types.items()))

    def _misfit(self, spark: Any, row: dict[str, str | None], line: int) -> SeedError:
        for name, kind in self.types.items():
            value = row[name]
            if value is not None:
                one = spark.createDataFrame([(value,)], schema="v string").selectExpr(f"try_cast(v as {kind})")
                if one.collect()[0][0] is None:
                    return SeedError(
                        f"{self.path}:{line}: {value!r} is no {kind}, which the column {name} is declared as"
                    )
        return SeedError(f"{self.path}:{line}: a value does not fit its column")


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
    return Seed(path, {name: kinds.get(name.lower(), "string") for name in names}, rows)


def _row(path: str, number: int, width: int, line: list[str]) -> tuple[int | str | None, ...]:
    if len(line) != width:
        raise SeedError(f"{path}:{number}: {len(line)} fields where the header has {width}")
    return (number, *(field or None for field in line))

# ruff: noqa: INP001 - beside the products that import it by its path, in no package
"""What the seed generators of the demo products share: arguments, CSV files, Parquet at scale, planted truths.

A generator gives `main` a function that makes a `Story` from a number: its tables, and what was planted in them. Small,
the story is written as CSV, the same bytes on every run. At scale N, up to eight different stories are written N times
in all, each copy with ids of its own, streamed to Parquet by DuckDB; the truths are added up from those of the stories.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    import duckdb

MOST_STORIES = 8
MEMORY = "1GB"
THREADS = 2
_ORIGIN = "# Written by generate_seeds.py with the seeds: what was planted, and the question that must find it.\n"
_COPY = "'-[0-9]+$'"


@dataclass(frozen=True)
class Table:
    """One seed, as rows of text in the order of `columns`.

    Attributes:
        name: Name of the file, and of the seed.
        columns: Names, parted by commas.
        rows: The values; empty text is null.
        keys: Columns that name something of this story: each copy at scale gets names of its own. A table without keys
            is written once, and all copies share it.
        spelled: For a key that is no plain id, SQL of its name in a copy, where `{copy}` is the copy's suffix.
    """

    name: str
    columns: str
    rows: Sequence[Sequence[str]]
    keys: tuple[str, ...] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """What the marts must say: `select <ask> from <source>`, and the answer as it was planted.

    Attributes:
        id: Its name.
        says: What the answer is, in words.
        ask: SQL of one value; of a column where a list is expected, which ends with an id.
        source: A table of the marts, with a condition where one is needed.
        expected: A whole number; an amount or an id as text; or a sorted list.
        merged: How the answers of several stories become one: added up; the greatest or least; for an id, that of the
            story with the highest `rank`; `never` where the question makes sense for one story only. Lists are joined.
        rank: What makes this story's id the best.
    """

    id: str
    says: str
    ask: str
    source: str
    expected: int | str | list[str]
    merged: Literal["sum", "max", "min", "best", "never"] = "sum"
    rank: Any = None

    def written(self) -> dict[str, object]:
        """The truth as `truths.yaml` has it."""
        order = " order by 1" if isinstance(self.expected, list) else ""
        return _entry(self, f"select {self.ask} from {self.source}{order}", self.expected)  # noqa: S608 # nosec B608 - a generator's own constants


class Story(Protocol):
    """What one seed number makes."""

    def tables(self) -> list[Table]:
        """The seeds."""

    def truths(self) -> list[Truth]:
        """What was planted in them."""


@dataclass(frozen=True)
class Product:
    """The product that a generator belongs to.

    Attributes:
        folder: Where floe.yaml lies; its name is the product's.
        as_of: The day that the product describes.
        seed: The number of the story that is committed.
        story: Makes a story from a number.
        whole: For a product whose copies are parts of one whole: makes the story of N copies from N. Its truths count
            all of them, and its tables hold the rows of one.
    """

    folder: Path
    as_of: date
    seed: int
    story: Callable[[int], Story]
    whole: Callable[[int], Story] | None = None


def main(product: Product, says: str, words: Sequence[str] | None = None) -> None:
    """Do what the command line asks: the committed files, the same elsewhere, or many times as much as Parquet."""
    parser = argparse.ArgumentParser(description=says, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write into; the product's own by default")
    parser.add_argument("--scale", type=int, metavar="N", help="write N times the facts as Parquet files; needs --out")
    asked = parser.parse_args(words)
    out = (asked.out or product.folder).resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {out}: no folder to write into: {error.strerror}")
    if asked.scale is None:
        write(product, out)
    elif asked.scale < 1:
        parser.error(f"--scale {asked.scale}: at least 1")
    elif out == product.folder.resolve():
        parser.error("--scale needs --out DIR: the product's own folder keeps the small seeds")
    else:
        write_scaled(product, out, asked.scale)


def write(product: Product, out: Path) -> None:
    """Write `seeds/*.csv` and `truths.yaml` below `out`: the same bytes on every run."""
    story = product.story(product.seed)
    for table in story.tables():
        write_csv(out / "seeds" / f"{table.name}.csv", table)
    _write_truths(product, out, [truth.written() for truth in story.truths()])


def write_scaled(product: Product, out: Path, scale: int) -> None:
    """Write `<seed>.parquet` and `truths.yaml` into `out`: `scale` stories; memory does not grow with them."""
    import duckdb

    if product.whole:
        stories = [product.whole(scale)]
    else:
        stories = [product.story(product.seed + number) for number in range(min(scale, MOST_STORIES))]
    types = column_types(product.folder)
    with tempfile.TemporaryDirectory(dir=out) as scratch, duckdb.connect() as connection:
        for setting in (f"memory_limit = '{MEMORY}'", f"threads = {THREADS}", f"temp_directory = {_text(scratch)}"):
            connection.execute(f"set {setting}")
        connection.execute(
            f"create table copies as select number % {len(stories)} as story, '-' || story || '-' || number as suffix "  # noqa: S608 # nosec B608 - names of our own
            f"from range({scale}) as numbers(number)"
        )
        for versions in zip(*(story.tables() for story in stories), strict=True):
            _write_parquet(connection, versions, types[versions[0].name], Path(scratch))
    truths = [story.truths() for story in stories]
    _write_truths(product, out, [truth.written() for truth in truths[0]] if product.whole else merged(truths, scale))


def write_csv(path: Path, table: Table) -> None:
    """Write a table with its header; lines end in a line feed on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns.split(","))
        writer.writerows(table.rows)


def column_types(folder: Path) -> dict[str, dict[str, str]]:
    """The types that `seeds/seeds.yml` gives to the columns, by seed."""
    seeds = yaml.safe_load((folder / "seeds" / "seeds.yml").read_text(encoding="utf-8"))["seeds"]
    return {seed["name"]: seed["config"]["column_types"] for seed in seeds}


def merged(stories: Sequence[Sequence[Truth]], scale: int) -> list[dict[str, object]]:
    """The truths of `scale` copies, of which copy c tells the story c modulo their number."""
    copies = [len(range(number, scale, len(stories))) for number in range(len(stories))]
    together = zip(*stories, strict=True)
    return [_merge(truths, copies) for truths in together if truths[0].merged != "never"]


def amount(cents: int) -> str:
    """Whole cents as text with two decimals, never by way of a float."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def utc(moment: datetime | None) -> str:
    """A moment as the seeds write it; empty for none."""
    return moment.isoformat(sep=" ") if moment else ""


def _merge(truths: Sequence[Truth], copies: Sequence[int]) -> dict[str, object]:
    first, bare = truths[0], f"regexp_replace({truths[0].ask}, {_COPY}, '')"
    query = f"select {first.ask} from {first.source}"  # noqa: S608 # nosec B608 - a generator's own constants
    if isinstance(first.expected, list):
        # every id of a story must be found in each of its copies: ids once, with the number of copies
        query = f"select concat({bare}, ' x ', count(*)) from {first.source} group by {bare} order by 1"  # noqa: S608 # nosec B608 - names of our own
        return _entry(first, query, sorted(_found_in_copies(truths, copies)))
    if first.merged == "best":
        number = max(range(len(truths)), key=lambda number: truths[number].rank)
        query = f"select {bare} from {first.source}"  # noqa: S608 # nosec B608 - names of our own
        return _entry(first, query, f"{truths[number].expected}-{number}")
    values = [Decimal(str(truth.expected)) for truth in truths]
    if first.merged == "sum":
        values = [sum((value * count for value, count in zip(values, copies, strict=True)), Decimal(0))]
    total = min(values) if first.merged == "min" else max(values)
    return _entry(first, query, int(total) if isinstance(first.expected, int) else str(total))


def _found_in_copies(truths: Sequence[Truth], copies: Sequence[int]) -> list[str]:
    return [
        f"{one}-{number} x {count}"
        for number, (truth, count) in enumerate(zip(truths, copies, strict=True))
        if isinstance(truth.expected, list)
        for one in truth.expected
    ]


def _entry(truth: Truth, query: str, expected: object) -> dict[str, object]:
    return {"id": truth.id, "says": truth.says, "query": query, "expected": expected}


def _write_truths(product: Product, out: Path, truths: list[dict[str, object]]) -> None:
    document = {"product": product.folder.name, "as_of_date": product.as_of.isoformat(), "truths": truths}
    text = yaml.safe_dump(document, sort_keys=False, width=120)
    (out / "truths.yaml").write_text(_ORIGIN + text, encoding="utf-8", newline="\n")


def _write_parquet(
    connection: duckdb.DuckDBPyConnection,
    versions: Sequence[Table],
    types: Mapping[str, str],
    scratch: Path,
) -> None:
    """Stream all copies of one table; its file appears when it is whole."""
    started = time.monotonic()
    table = versions[0]
    source = f"copies inner join {table.name} using (story)" if table.keys else table.name
    for number, version in enumerate(versions if table.keys else versions[:1]):
        file = scratch / f"{number}.csv"
        write_csv(file, version)
        columns = ", ".join(f"'{column}': '{types[column]}'" for column in table.columns.split(","))
        verb = f"insert into {table.name}" if number else f"create table {table.name} as"
        connection.execute(
            f"{verb} select {number} as story, * from read_csv({_text(file)}, header = true, columns = {{{columns}}})"  # noqa: S608 # nosec B608 - names of our own
        )
    part = scratch / f"{table.name}.parquet"
    connection.execute(
        f"copy (select {_copied(table)} from {source}) "  # noqa: S608 # nosec B608 - names of our own
        f"to {_text(part)} (format parquet)"
    )
    place = scratch.parent / part.name
    part.replace(place)
    connection.execute(f"drop table {table.name}")
    rows = connection.execute(f"select count(*) from read_parquet({_text(place)})").fetchall()[0][0]  # noqa: S608 # nosec B608 - names of our own
    print(f"{place.name}: {rows} rows, {time.monotonic() - started:.1f} s")  # noqa: T201 - a script tells what it wrote


def _text(path: object) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _copied(table: Table) -> str:
    spelled = {key: f"{key} || suffix" for key in table.keys}
    spelled |= {key: sql.format(copy="suffix") for key, sql in table.spelled.items()}
    return ", ".join(f"{spelled.get(column, column)} as {column}" for column in table.columns.split(","))

"""Rows into a table: all of them in one snapshot, or none.

Whatever else is committed in between, a write is as if it had come after it: an overwrite replaces what is there at
its commit, so two of them never mix their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # the same
from floe_core.errors import UsageError, WrongStateError
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import And, BooleanExpression, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.manifest import DataFile
from pyiceberg.table.snapshots import Operation
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from floe_iceberg import arrow_types, copying, partitions
from floe_iceberg.commits import LOST, Change, live_entries, stage
from floe_iceberg.datafiles import DataFiles
from floe_iceberg.evolution import evolve
from floe_iceberg.internals import iceberg_schema, table_of
from floe_iceberg.naming import dotted

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table, Transaction

    from floe_iceberg.internals import ArrowSchema

ATTEMPTS: Final = 10
"""How often a write is planned anew when somebody else commits in between."""
WRITE_ID: Final = "floe.write-id"
"""Snapshot property: a write whose id the table has seen is not done again."""
WRITTEN_ROWS: Final = "floe.written-rows"

Rows: TypeAlias = Any
"""A `pyarrow.Table` or a `pyarrow.RecordBatchReader`; pyarrow publishes no types."""
Source: TypeAlias = Rows | Callable[[], Rows]
"""Rows, or what gives them again for another attempt."""


class WriteMode(StrEnum):
    """What becomes of the rows that are there."""

    APPEND = "append"
    OVERWRITE = "overwrite"
    UPSERT = "upsert"


@dataclass(frozen=True)
class Written:
    """What a write did.

    Attributes:
        rows: How many rows were given.
        snapshot_id: Of the snapshot that holds them.
        created: Whether the table was made by this write.
    """

    rows: int
    snapshot_id: int
    created: bool


@dataclass(frozen=True)
class _Order:
    """The words of one call of `write`."""

    mode: WriteMode
    keys: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    where: BooleanExpression | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    table_properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def write_id(self) -> str | None:
        return self.properties.get(WRITE_ID)


def write(  # noqa: PLR0913 - keyword-only settings of one write
    catalog: Catalog,
    identifier: tuple[str, ...],
    rows: Source,
    *,
    mode: WriteMode,
    keys: Sequence[str] = (),
    partition_by: Sequence[str] = (),
    where: BooleanExpression | None = None,
    properties: Mapping[str, str] | None = None,
    table_properties: Mapping[str, str] | None = None,
) -> Written:
    """Write rows in one snapshot; the namespaces and the table are made when they are missing.

    Memory is bounded by `datafiles.BUFFER_BYTES` and the files that are open; an upsert also holds the keys of its
    rows. The table takes the columns of the rows (`evolution.evolve`); where rows of before stay, so do their columns.

    Args:
        catalog: A PyIceberg catalog that is signed in.
        identifier: Namespace levels and name.
        rows: A table, a reader, or a callable that gives one of them. A reader can be read once: when somebody else
            makes the table or changes its columns in between, only a callable or a table can be written after all.
        mode: APPEND adds, OVERWRITE replaces everything or what `where` names, UPSERT replaces the rows with the same
            keys and adds the others.
        keys: Columns that identify a row; for UPSERT only.
        partition_by: Of a new table, as `partitions.parse` reads it.
        where: Which rows an OVERWRITE replaces; every new row must be one of them.
        properties: Noted on the snapshot. With `floe.write-id`, a write whose id is on a snapshot that the table still
            has is not done again, and what was written then is given.
        table_properties: Of a new table.

    Raises:
        UsageError: The settings do not fit each other or the columns.
        WrongStateError: The columns cannot become the table's; keys are empty or double; a row is outside of `where`;
            others keep committing.
    """
    order = _Order(
        WriteMode(mode), tuple(keys), tuple(partition_by), where, dict(properties or {}), dict(table_properties or {})
    )
    _check(order, identifier)
    for depth in range(1, len(identifier)):
        catalog.create_namespace_if_not_exists(identifier[:depth])
    writing = _Writing(catalog, identifier, rows, order)
    attempts = Retrying(
        retry=retry_if_exception_type(LOST),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    try:
        return attempts(writing.attempt)
    except LOST as error:
        writing.discard()
        raise WrongStateError(
            "the rows cannot be committed",
            where=dotted(identifier),
            why=f"others committed to the table {ATTEMPTS} times in between",
            remedy="see who else writes to it, and run again",
        ) from error


def _check(order: _Order, identifier: tuple[str, ...]) -> None:
    upsert, named = order.mode is WriteMode.UPSERT, dotted(identifier)
    if upsert != bool(order.keys):
        why = "an upsert needs keys" if upsert else f"{order.mode} takes no keys"
        raise UsageError("the write cannot be done", where=named, why=why, remedy="give keys for an upsert only")
    if order.where is not None and order.mode is not WriteMode.OVERWRITE:
        why = f"{order.mode} takes no where"
        raise UsageError("the write cannot be done", where=named, why=why, remedy="give where for an overwrite only")


class _Writing:
    """One write, over several attempts; rows that were written to files once are not read again."""

    def __init__(self, catalog: Catalog, identifier: tuple[str, ...], source: Source, order: _Order) -> None:
        self._catalog = catalog
        self._identifier = identifier
        self._source = source
        self._order = order
        self._opened = False
        self._rows: Rows | None = None
        self._schema: ArrowSchema = None
        self._files: DataFiles | None = None
        self._made: list[DataFile] = []
        self._shape: tuple[Any, ...] = ()
        self._keys: Any = None

    def attempt(self) -> Written:
        try:
            table = self._catalog.load_table(self._identifier)
        except NoSuchTableError:
            table = None
        if table is None:
            return self._create()
        earlier = self._earlier(table)
        if earlier is not None:
            self.discard()
            return earlier
        return self._change(table)

    def discard(self) -> None:
        """Remove the files of rows that no snapshot will name."""
        if self._files is not None:
            self._files.discard()
        self._files, self._made, self._shape = None, [], ()

    def _create(self) -> Written:
        rows = self._open()
        schema = iceberg_schema(arrow_types.storable(rows.schema))
        self._known(self._order.keys, schema)
        creation = self._catalog.create_table_transaction(
            self._identifier,
            schema,
            partition_spec=partitions.parse(self._order.partition_by, schema),
            properties=dict(self._order.table_properties),
        )
        return self._commit(creation, Operation.APPEND, created=True)

    def _change(self, table: Table) -> Written:
        transaction = table.transaction()
        if not self._opened:
            self._open()
        replaces_all = self._order.mode is WriteMode.OVERWRITE and self._order.where is None
        evolve(transaction, arrow_types.storable(self._schema), keep=not replaces_all)
        self._known(self._order.keys, transaction.table_metadata.schema())
        operation = Operation.APPEND if self._order.mode is WriteMode.APPEND else Operation.OVERWRITE
        return self._commit(transaction, operation, created=False)

    def _commit(self, transaction: Transaction, operation: Operation, *, created: bool) -> Written:
        self._fill(transaction)
        rows = self._files.rows if self._files else 0
        copies = DataFiles(transaction.table_metadata, table_of(transaction).io)
        try:
            removed = frozenset[DataFile]() if created else self._removed(transaction, copies)
            added = [*self._made, *copies.close()]
        except BaseException:
            copies.discard()
            self.discard()
            raise
        properties = {**self._order.properties, **({WRITTEN_ROWS: str(rows)} if self._order.write_id else {})}
        try:
            snapshot_id = stage(transaction, Change(operation, added, removed, properties))
            transaction.commit_transaction()
        except LOST:
            copies.discard()
            raise
        return Written(rows, snapshot_id, created)

    def _fill(self, transaction: Transaction) -> None:
        """Write the rows to files, unless the files of an earlier attempt fit the table as it is now."""
        metadata = transaction.table_metadata
        shape = (metadata.table_uuid, metadata.schema(), metadata.spec())
        if self._files is not None and self._shape == shape:
            return
        self.discard()
        rows, schema = self._open(), arrow_types.storable(self._schema)
        self._rows = None
        batches = rows.to_batches() if isinstance(rows, pa.Table) else rows
        self._files, self._shape = DataFiles(metadata, table_of(transaction).io), shape
        watched = _Watched(self._order, metadata.schema(), dotted(self._identifier))
        try:
            self._files.write(watched.seen(arrow_types.cast(batch, schema)) for batch in batches)
            self._keys = watched.keys()
            self._made = self._files.close()
        except BaseException:
            self.discard()
            raise

    def _removed(self, transaction: Transaction, copies: DataFiles) -> frozenset[DataFile]:
        """The files that the new ones replace; rows in them that stay are copied."""
        metadata, io, order = transaction.table_metadata, table_of(transaction).io, self._order
        if order.mode is WriteMode.APPEND or metadata.current_snapshot() is None:
            return frozenset()
        if order.mode is WriteMode.UPSERT:
            if not self._keys.num_rows:
                return frozenset()
            columns, keep = copying.without_keys(self._keys, metadata.schema())
            return copying.drop_rows(metadata, io, copies, where=_between(self._keys), columns=columns, keep=keep)
        if order.where is None:
            return frozenset(entry.data_file for entry in live_entries(metadata, io))
        columns, keep = copying.outside(order.where, metadata.schema())
        return copying.drop_rows(metadata, io, copies, where=order.where, columns=columns, keep=keep)

    def _open(self) -> Rows:
        if self._rows is not None:
            return self._rows
        if self._opened and not callable(self._source) and not isinstance(self._source, pa.Table):
            raise WrongStateError(
                "the rows cannot be written again",
                where=dotted(self._identifier),
                why="somebody else made the table or changed its columns, and the rows can be read only once",
                remedy="run again; a caller that gives a callable instead of a reader is not asked to",
            )
        self._opened = True
        self._rows = self._source() if callable(self._source) else self._source
        self._schema = self._rows.schema
        return self._rows

    def _known(self, keys: Sequence[str], schema: Schema) -> None:
        names = [column.name for column in schema.fields]
        missing = [key for key in keys if key not in names]
        if missing:
            raise UsageError(
                "the rows cannot be matched by their keys",
                where=dotted(self._identifier),
                why=f"there is no column {', '.join(missing)}",
                remedy=f"name some of {', '.join(names)}",
            )

    def _earlier(self, table: Table) -> Written | None:
        """What the same write did before, if it did."""
        for snapshot in table.snapshots() if self._order.write_id else ():
            summary = snapshot.summary
            if summary is not None and summary[WRITE_ID] == self._order.write_id:
                return Written(int(summary[WRITTEN_ROWS] or 0), snapshot.snapshot_id, created=False)
        return None


class _Watched:
    """Looks at the rows as they pass: are they inside of `where`, and which keys have they?"""

    def __init__(self, order: _Order, schema: Schema, named: str) -> None:
        self._order = order
        self._named = named
        self._parts: list[Any] = []
        try:
            self._outside = copying.outside(order.where, schema)[1] if order.where is not None else None
        except ValueError as error:
            raise UsageError(
                "the rows to be replaced are not known", where=named, why=str(error), remedy="name the table's columns"
            ) from error

    def seen(self, batch: Any) -> Any:
        rows = pa.Table.from_batches([batch])
        if self._outside is not None and (astray := self._outside(rows).num_rows):
            raise self._refused(
                f"{astray} of the new rows are outside of {self._order.where}", "write only rows that it names"
            )
        if self._order.keys:
            self._parts.append(rows.select(list(self._order.keys)))
        return batch

    def keys(self) -> Any:
        """The keys of all rows, each once; an empty table when there were none."""
        names = list(self._order.keys)
        if not self._parts:
            return pa.table({name: pa.nulls(0) for name in names})
        keys = pa.concat_tables(self._parts)
        empty = [name for name in names if keys[name].null_count]
        if empty:
            raise self._refused(f"the key {', '.join(empty)} is empty in some rows", "fill it, or leave the rows out")
        if double := keys.num_rows - keys.group_by(names).aggregate([]).num_rows:
            raise self._refused(f"{double} rows have the same {', '.join(names)} as another", "give each key once")
        return keys

    def _refused(self, why: str, remedy: str) -> WrongStateError:
        return WrongStateError("the rows cannot be written", where=self._named, why=why, remedy=remedy)


def _between(keys: Any) -> BooleanExpression:
    """What every row with one of the keys satisfies."""
    bounds: list[BooleanExpression] = []
    for name in keys.column_names:
        least, most = (pc.min_max(keys[name])[end].as_py() for end in ("min", "max"))
        bounds += [GreaterThanOrEqual(term=name, value=least), LessThanOrEqual(term=name, value=most)]
    return And(*bounds)

"""All rows of a table replaced in one commit of the catalog, at about the price of writing Parquet.

DuckDB writes the data files below the table's location; then PyIceberg commits one snapshot that drops the old files
and adds the new ones, with the columns and the partitioning as the model has them now. A reader sees all old rows or
all new ones; snapshots of before stay. Killed in between, it leaves files that nothing refers to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dbt.adapters.duckdb_iceberg import files
from dbt.adapters.duckdb_iceberg.rest import AWAY_SECONDS, patiently
from dbt.adapters.duckdb_iceberg.schemas import fitted
from dbt.adapters.duckdb_iceberg.snapshots import file_io, stage_files, stage_schema
from floe_core.errors import WrongStateError
from floe_iceberg import partitions
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.table import Transaction
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbt.adapters.duckdb_iceberg.files import Run
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata

ATTEMPTS: Final = 10
"""Others may commit to the table at the same time."""
LOST: Final = (CommitFailedException, TableAlreadyExistsError, NoSuchTableError)
"""What is raised where a commit certainly did not happen, because somebody else's did."""


@dataclass(frozen=True)
class Wanted:
    """The table as a model has it.

    Attributes:
        identifier: Namespace and name.
        schema: Its columns; their ids only number them.
        partition_by: Iceberg transforms, as `floe_iceberg.partitions` reads them.
        properties: Properties of the table.
        noted: Properties of the snapshot.
    """

    identifier: tuple[str, ...]
    schema: Schema
    partition_by: Sequence[str]
    properties: Mapping[str, str]
    noted: Mapping[str, str]


@dataclass(frozen=True)
class Replaced:
    """What a replacement made."""

    rows: int
    files: int
    snapshot_id: int
    created: bool


class Replacement:
    """One replacement of a table's rows by those of a query.

    Args:
        catalog: Where the table is, or will be.
        run: Runs a statement of DuckDB; its rows by column names.
        wanted: The table.
    """

    def __init__(self, catalog: Catalog, run: Run, wanted: Wanted) -> None:
        self._catalog = catalog
        self._run = run
        self._wanted = wanted
        self._files: list[DataFile] = []
        self._layout: tuple[object, ...] | None = None
        self._staged: int | None = None

    def do(self, sql: str, select: str) -> Replaced:
        """Write the rows of `sql`, whose columns `select` makes those of the table, and commit them.

        A commit that another writer's came before is made again, with the files that are there already.

        Raises:
            WrongStateError: A required column has empty values, a column that partitions the table would go, or others
                committed again and again.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(LOST),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            reraise=True,
        )
        try:
            return retrying(lambda: patiently(lambda: self._attempt(sql, select), AWAY_SECONDS))
        except LOST as error:
            raise WrongStateError(
                "the rows cannot be committed",
                where=".".join(self._wanted.identifier),
                why=f"others committed to the table {ATTEMPTS} times in between ({error})",
                remedy="see who else writes to it, and run again",
            ) from error

    def _attempt(self, sql: str, select: str) -> Replaced:
        table = self._table()
        if self._staged is not None and table is not None and table.metadata.snapshot_by_id(self._staged) is not None:
            return self._told(created=False)  # it was committed, only the answer was lost
        change = self._create() if table is None else self._change(table)
        metadata = change.table_metadata
        layout = (metadata.schema().as_struct(), metadata.spec().fields, metadata.location)
        if layout != self._layout:
            files.discard(self._files, file_io(change))
            self._files = files.write(self._run, sql, select, metadata, file_io(change))
            self._layout = layout
            self._refuse_empty_values(metadata)
        self._staged = stage_files(change, self._files, self._wanted.noted)
        change.commit_transaction()
        return self._told(created=table is None)

    def _told(self, *, created: bool) -> Replaced:
        rows = sum(file.record_count for file in self._files)
        return Replaced(rows=rows, files=len(self._files), snapshot_id=self._staged or 0, created=created)

    def _table(self) -> Table | None:
        try:
            return self._catalog.load_table(self._wanted.identifier)
        except NoSuchTableError:
            return None

    def _create(self) -> Transaction:
        """Nothing is seen of the table before its rows are committed."""
        spec = partitions.parse(self._wanted.partition_by, self._wanted.schema)
        return self._catalog.create_table_transaction(
            self._wanted.identifier,
            schema=self._wanted.schema,
            partition_spec=spec,
            properties=dict(self._wanted.properties),
        )

    def _change(self, table: Table) -> Transaction:
        change = Transaction(table)
        schema = fitted(self._wanted.schema, table.schema(), table.metadata.last_column_id)
        self._refuse_lost_partitions(table.metadata, schema)
        if schema.as_struct() != table.schema().as_struct():
            stage_schema(change, schema)
        _repartition(change, partitions.parse(self._wanted.partition_by, schema))
        new = {name: value for name, value in self._wanted.properties.items() if table.properties.get(name) != value}
        if new:
            change.set_properties(new)
        return change

    def _refuse_lost_partitions(self, metadata: TableMetadata, schema: Schema) -> None:
        kept = set(schema.field_ids)
        for spec in metadata.specs().values():
            for field in spec.fields:
                if field.source_id not in kept:
                    column = metadata.schema().find_column_name(field.source_id)
                    raise WrongStateError(
                        "the table cannot take the model's columns",
                        where=f"{'.'.join(self._wanted.identifier)}, column {column}",
                        why="files are partitioned by it, and the model has it no longer, or with another type",
                        remedy="keep the column, or drop the table and run again",
                    )

    def _refuse_empty_values(self, metadata: TableMetadata) -> None:
        for field in metadata.schema().fields:
            empty = sum((file.null_value_counts or {}).get(field.field_id, 0) for file in self._files)
            if field.required and empty:
                raise WrongStateError(
                    "the rows break a constraint of the model",
                    where=f"{'.'.join(self._wanted.identifier)}, column {field.name}",
                    why=f"NOT NULL constraint failed: {empty} rows have no value",
                    remedy="see where the empty values come from; the table is as it was",
                )


def _repartition(change: Transaction, spec: PartitionSpec) -> None:
    metadata = change.table_metadata
    before = {(field.source_id, field.transform): field.name for field in metadata.spec().fields}
    after = {(field.source_id, field.transform): field.name for field in spec.fields}
    if before.keys() == after.keys():
        return
    with change.update_spec() as update:
        for key in before.keys() - after.keys():
            update.remove_field(before[key])
        for field in spec.fields:
            if (field.source_id, field.transform) not in before:
                column = metadata.schema().find_column_name(field.source_id)
                update.add_field(column or "", field.transform, field.name)

"""Marts as Iceberg tables: written in one commit each, read back, and held against what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from floe_core.errors import WrongStateError
from floe_core.telemetry import span
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from floe_ops.products import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table, Transaction

    from floe_ops.products.result import TableFacts
    from floe_ops.targets import Platform

BATCH_ROWS = 50_000

Rows: TypeAlias = Any
"""A `pyarrow.RecordBatchReader`; pyarrow publishes no types."""


class Publisher:
    """Puts the tables of one product into the catalog.

    Args:
        platform: Where the catalog is, and how to sign in.
        namespace: The product's namespace; made when it is missing.
        properties: What is noted on each snapshot.
    """

    def __init__(self, platform: Platform, namespace: str, properties: Mapping[str, str]) -> None:
        self._platform = platform
        self._namespace = namespace
        self._properties = dict(properties)
        self._catalog = open_catalog(platform)

    def publish(
        self, source: duckdb.DuckDBPyConnection, tables: Mapping[str, str], written: Callable[[TableFacts], None]
    ) -> tuple[TableFacts, ...]:
        """Write every table, each in one commit: a reader sees all of its old rows or all of its new ones.

        Args:
            source: The database that dbt built.
            tables: `schema.table` in it by name in the catalog.
            written: Called after each commit.

        Raises:
            WrongStateError: The catalog's table has columns that cannot become the model's.
        """
        self._catalog.create_namespace_if_not_exists(self._namespace)
        done = []
        for name, built in tables.items():
            fact = self._publish_one(source, name, built)
            written(fact)
            done.append(fact)
        return tuple(done)

    def _publish_one(self, source: duckdb.DuckDBPyConnection, name: str, built: str) -> TableFacts:
        with span(f"iceberg commit {name}", **{"iceberg.table": f"{self._namespace}.{name}"}) as current:
            fact = facts.of_table(source, built, name)
            table = self._write(name, lambda: _rows(source, built), fact.rows)
            snapshot = table.current_snapshot()
            place = {"snapshot_id": snapshot.snapshot_id if snapshot else None, "location": table.metadata_location}
            current.set_attributes({"iceberg.snapshot_id": str(place["snapshot_id"]), "iceberg.rows": fact.rows})
            return fact.model_copy(update=place)

    def read_back(self, published: tuple[TableFacts, ...], tables: Mapping[str, str], copy: Path) -> None:
        """Read every table with PyIceberg, at the snapshot that was written, into the database `copy`.

        Raises:
            WrongStateError: What is read is not what was written; names every difference.
        """
        import duckdb

        copy.unlink(missing_ok=True)
        differences: list[str] = []
        with duckdb.connect(str(copy)) as target:
            for fact in published:
                built = tables[fact.name]
                table = self._catalog.load_table((self._namespace, fact.name))
                incoming = table.scan(snapshot_id=fact.snapshot_id).to_arrow_batch_reader()
                target.execute(f"create schema if not exists {facts.quoted(built.split('.')[0])}")
                target.register("incoming", incoming)
                target.execute(f"create table {facts.quoted(built)} as select * from incoming")  # noqa: S608 # nosec B608 - quoted
                target.unregister("incoming")
                differences += fact.differences(facts.of_table(target, built, fact.name))
        if differences:
            raise WrongStateError(
                "the catalog's tables are not what was written",
                where=f"{self._platform.catalog}.{self._namespace}",
                why="\n         ".join(differences),
                remedy="see whether somebody else writes to this namespace, and run again",
            )

    def _write(self, name: str, rows: Callable[[], Rows], count: int) -> Table:
        """Replace the table's rows; another writer's commit in between starts it over with fresh rows."""
        from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError

        return retry(
            retry=retry_if_exception_type((CommitFailedException, TableAlreadyExistsError)),
            stop=stop_after_attempt(5),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            reraise=True,
        )(lambda: self._replace(name, rows(), count))()

    def _replace(self, name: str, rows: Rows, count: int) -> Table:
        identifier = (self._namespace, name)
        if not self._catalog.table_exists(identifier):
            creation = self._catalog.create_table_transaction(identifier, schema=rows.schema)
            if count:
                creation.append(rows, snapshot_properties=self._properties)
            return creation.commit_transaction()
        table = self._catalog.load_table(identifier)
        with table.transaction() as change:
            _evolve(change, table, rows.schema)
            if _holds_rows(table):
                change.overwrite(rows, snapshot_properties=self._properties)
            elif count:
                change.append(rows, snapshot_properties=self._properties)
        return self._catalog.load_table(identifier)


def open_catalog(platform: Platform) -> Catalog:
    """The platform's catalog for PyIceberg, signed in.

    Raises:
        FloeError: The server cannot be reached, or refuses.
    """
    from floe_catalog_polaris import iceberg

    store = iceberg.s3_properties(
        endpoint=platform.urls["s3"],
        access_key=platform.secrets["s3-access-key"],
        secret_key=platform.secrets["s3-secret-key"],
        region=platform.region,
    )
    return iceberg.open_catalog(
        platform.urls["polaris"],
        platform.catalog,
        platform.client_id,
        platform.secrets["polaris-client-secret"],
        fileio=store,
    )


def _rows(source: duckdb.DuckDBPyConnection, table: str) -> Rows:
    """The rows of a table as a stream, so that memory does not grow with them."""
    return source.cursor().execute(f"from {facts.quoted(table)}").to_arrow_reader(BATCH_ROWS)


def _holds_rows(table: Table) -> bool:
    """Whether there is anything to replace; PyIceberg warns where an overwrite finds nothing to delete."""
    snapshot = table.current_snapshot()
    summary = snapshot.summary if snapshot else None
    return summary is not None and summary["total-records"] != "0"


def _evolve(change: Transaction, table: Table, wanted: Any) -> None:
    """Give the table the columns of the model, in the same commit as the rows."""
    from pyiceberg.exceptions import ValidationError

    names = {field.name for field in table.schema().fields}
    try:
        with change.update_schema() as update:
            for gone in sorted(names - set(wanted.names)):
                update.delete_column(gone)
            update.union_by_name(wanted)
    except (ValidationError, ValueError, TypeError) as error:
        raise WrongStateError(
            f"the table {table.name()[-1]} cannot take the model's new columns",
            where=".".join(table.name()),
            why=str(error),
            remedy="drop the table, or give the column a new name",
        ) from error

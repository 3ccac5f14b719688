"""Assets as Iceberg tables: what an asset returns is written in one commit, and read again by those that depend on it.

How it is written stands in the asset's metadata:

    @asset(
        key_prefix=["sales", "marts"],
        metadata={"iceberg/mode": "upsert", "iceberg/keys": ["id"], "iceberg/partition_by": ["day(sold_at)"]},
        io_manager_key="iceberg",
    )
    def orders() -> pa.Table: ...

The asset `sales/marts/orders` is the table `sales.marts.orders`. A partitioned asset says under `partition_expr` which
column its partitions go by (by dimension where it has several), and a materialization replaces the rows of its
partitions only.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from dagster import (
    AssetKey,
    ConfigurableIOManager,
    InitResourceContext,
    InputContext,
    OutputContext,
    TableColumn,
    TableSchema,
)
from floe_core.errors import FloeError
from floe_core.plugins import IcebergCatalog
from floe_core.plugins.orchestrator import OrchestratorError
from pydantic import PrivateAttr

from floe_orchestrator_dagster.partitions import rows_of
from floe_orchestrator_dagster.resources.iceberg import IcebergAccess
from floe_orchestrator_dagster.tracing import Tracing

if TYPE_CHECKING:
    from floe_iceberg.writing import Written

MODE: Final = "iceberg/mode"
"""Metadata of an asset: `overwrite` (the default), `append` or `upsert`."""
KEYS: Final = "iceberg/keys"
"""Metadata of an asset: the columns that identify a row, for an upsert."""
PARTITION_BY: Final = "iceberg/partition_by"
"""Metadata of an asset: how a new table is partitioned, in dbt's words, for example `["day(sold_at)", "region"]`."""
COLUMNS: Final = "columns"
"""Metadata of an input: the columns to read; all where it is not said."""

RUN: Final = "dagster.run-id"
"""Snapshot property: the run that wrote it."""
ASSET: Final = "dagster.asset"
"""Snapshot property: the asset that was written."""

_RESUMED: Final = "dagster/is_resume_retry"
_ROOT: Final = "dagster/root_run_id"


class IcebergIOManager(ConfigurableIOManager):
    """Writes outputs to Iceberg tables, and reads inputs from them.

    Takes `pyarrow.Table`, `pyarrow.RecordBatchReader`, and everything that hands out an Arrow stream: data frames of
    pandas and polars, relations of DuckDB. A reader is streamed, so it may be larger than memory. Gives a
    `pyarrow.Table`, or what the input's annotation names: a `RecordBatchReader`, or a data frame.

    Attributes:
        access: How the catalog is opened. Not a resource in this one: Dagster 1.13 warns of itself where one holds
            another.
        tracing: Where its spans go; none where it is left out.
    """

    access: IcebergAccess
    tracing: Tracing | None = None

    _opened: IcebergCatalog = PrivateAttr(default=None)
    _step: InitResourceContext | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Keep the run that this belongs to."""
        self._step = context

    def catalog(self) -> IcebergCatalog:
        """The PyIceberg catalog, signed in; raises as `IcebergAccess.open`."""
        if self._opened is None:
            self._opened = self.access.open()
        return self._opened

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Write an asset's rows in one commit, and tell Dagster what was written.

        An append is done once for a run and a partition, however often its step is tried.

        Raises:
            OrchestratorError: The rows cannot be written; names the asset and the table.
        """
        identifier = table_of(context.asset_key)
        if self.tracing is None or self._step is None:
            self._write(context, identifier, obj)
            return
        noted = {"dagster.asset_key": context.asset_key.to_user_string(), "iceberg.table": ".".join(identifier)}
        with self.tracing.step(self._step, f"iceberg write {identifier[-1]}", **noted):
            self._write(context, identifier, obj)

    def load_input(self, context: InputContext) -> Any:
        """The rows of an asset, of its partitions only where the input has some.

        Raises:
            OrchestratorError: There is no such table, or it lacks a column; names the asset and the table.
        """
        key = context.asset_key
        identifier = table_of(key)
        upstream = context.upstream_output
        metadata = upstream.definition_metadata if upstream is not None else {}
        with _told("read", key, identifier):
            table = self.catalog().load_table(identifier)
            where = rows_of(context, metadata, table.schema().as_arrow()) if context.has_asset_partitions else None
            columns = (context.definition_metadata or {}).get(COLUMNS)
            options: dict[str, Any] = {"row_filter": where} if where is not None else {}
            scan = table.scan(selected_fields=tuple(columns) if columns else ("*",), **options)
            return _as_asked(scan, context.dagster_type.typing_type)

    def _write(self, context: OutputContext, identifier: tuple[str, ...], obj: Any) -> None:
        from floe_iceberg.writing import WriteMode, write

        if obj is None:  # an asset that says nothing about rows has put them there itself
            return
        metadata = context.definition_metadata or {}
        with _told("written", context.asset_key, identifier):
            rows = _arrow(obj)
            mode = _mode(metadata)
            partial = mode is WriteMode.OVERWRITE and context.has_asset_partitions
            catalog = self.catalog()
            written = write(
                catalog,
                identifier,
                rows,
                mode=mode,
                keys=tuple(metadata.get(KEYS, ())),
                partition_by=tuple(metadata.get(PARTITION_BY, ())),
                where=rows_of(context, metadata, rows.schema) if partial else None,
                properties=self._properties(context, append=mode is WriteMode.APPEND),
            )
            told = described(catalog.load_table(identifier), written)
            if context.has_asset_partitions:
                told["dagster/partition_row_count"] = written.rows
        context.add_output_metadata(told)

    def _properties(self, context: OutputContext, *, append: bool) -> dict[str, str]:
        from floe_iceberg.writing import WRITE_ID

        asset = context.asset_key.to_user_string()
        properties = {RUN: context.run_id, ASSET: asset}
        if append:
            partitions = ",".join(context.asset_partition_keys) if context.has_asset_partitions else ""
            properties[WRITE_ID] = "/".join(part for part in (self._attempted(context), asset, partitions) if part)
        return properties

    def _attempted(self, context: OutputContext) -> str:
        """The run that the step was first tried in: a run that resumes a failed one tries the same step again."""
        run = self._step.run if self._step is not None else None
        tags = run.tags if run is not None else {}
        return tags.get(_ROOT, context.run_id) if tags.get(_RESUMED) == "true" else context.run_id


def table_of(key: AssetKey) -> tuple[str, ...]:
    """The table of an asset: the last part of the key is its name, the others are namespaces.

    Raises:
        OrchestratorError: The key has one part only.
    """
    if len(key.path) < 2:  # noqa: PLR2004 - a namespace and a name
        raise OrchestratorError(
            f"the asset {key.to_user_string()} has no place in the catalog",
            why="a table lies in a namespace, and the asset's key has one part only",
            remedy="give the asset a key_prefix, for example the product and the schema",
        )
    return tuple(key.path)


def described(table: Any, written: "Written | None" = None) -> dict[str, Any]:
    """What Dagster shows of an Iceberg table: its place, its rows, its snapshot and its columns.

    Args:
        table: A `pyiceberg.table.Table` as it is after the write.
        written: What the write did; the table's current snapshot without it.

    Raises:
        WrongStateError: The table has deletes that cannot be read, and so cannot be counted.
    """
    from floe_iceberg.counting import rows_in

    snapshot = table.current_snapshot()
    snapshot_id = written.snapshot_id if written is not None else getattr(snapshot, "snapshot_id", None)
    columns = [
        TableColumn(field.name, type=str(field.field_type), description=field.doc) for field in table.schema().fields
    ]
    total = rows_in(table)
    return {
        "dagster/table_name": ".".join(table.name()),
        "dagster/uri": table.location(),
        "dagster/row_count": total,
        "dagster/column_schema": TableSchema(columns),
        "iceberg/snapshot_id": str(snapshot_id) if snapshot_id is not None else "",
        "iceberg/rows_written": written.rows if written is not None else total,
    }


def _mode(metadata: Mapping[str, Any]) -> Any:
    from floe_iceberg.writing import WriteMode

    word = metadata.get(MODE, WriteMode.OVERWRITE)
    try:
        return WriteMode(word)
    except ValueError:
        raise OrchestratorError(
            f"there is no write mode {word!r}",
            where=f"metadata {MODE}",
            why=f"the modes are {', '.join(WriteMode)}",
            remedy="name one of them",
        ) from None


def _arrow(obj: Any) -> Any:
    """The rows as a `pyarrow.Table` or a `pyarrow.RecordBatchReader`."""
    import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types

    if isinstance(obj, pa.Table | pa.RecordBatchReader):
        return obj
    if hasattr(obj, "collect") and not hasattr(obj, "__arrow_c_stream__"):  # a lazy frame
        obj = obj.collect()
    if hasattr(obj, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(obj)
    raise OrchestratorError(
        f"a {type(obj).__module__}.{type(obj).__qualname__} has no rows that can be written",
        why="it hands out no Arrow stream",
        remedy="return a pyarrow Table or RecordBatchReader, or a data frame",
    )


def _as_asked(scan: Any, wanted: Any) -> Any:
    """The rows of a scan as the input's annotation names them."""
    module = str(getattr(wanted, "__module__", "")).partition(".")[0]
    if getattr(wanted, "__name__", "") == "RecordBatchReader":
        return scan.to_arrow_batch_reader()
    if module == "pandas":
        return scan.to_pandas()
    return scan.to_polars() if module == "polars" else scan.to_arrow()


@contextmanager
def _told(what: str, key: AssetKey, identifier: tuple[str, ...]) -> Iterator[None]:
    """What goes wrong in the block, with the asset and the table that it concerns."""
    try:
        yield
    except FloeError as error:
        raise OrchestratorError(
            f"the asset {key.to_user_string()} cannot be {what}",
            where=f"table {'.'.join(identifier)}",
            why=f"{error.what}: {error.why}".removesuffix(": "),
            remedy=error.remedy,
            exit_code=error.exit_code,
        ) from error
    except Exception as error:  # what the catalog, the object store or the rows' own source raise; may quote a secret
        raise OrchestratorError(
            f"the asset {key.to_user_string()} cannot be {what}",
            where=f"table {'.'.join(identifier)}",
            why=f"{type(error).__module__}.{type(error).__qualname__}",
            remedy="see that the table is there, and what the catalog's and the object store's logs say",
        ) from error

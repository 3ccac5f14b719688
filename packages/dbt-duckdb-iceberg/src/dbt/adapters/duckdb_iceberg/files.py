"""Data files of an Iceberg table, written by DuckDB and described as PyIceberg commits them."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dbt.adapters.duckdb_iceberg.partitioning import Partitions
from dbt.adapters.duckdb_iceberg.storable import quoted
from pyiceberg.io.pyarrow import (
    MetricModeTypes,
    MetricsMode,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import TableProperties
from pyiceberg.typedef import Record
from pyiceberg.types import ListType, MapType, StructType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pyiceberg.io import FileIO
    from pyiceberg.io.pyarrow import StatisticsCollector
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.types import IcebergType, NestedField

    Run = Callable[[str], Sequence[Mapping[str, Any]]]

TARGET: Final = 256_000_000
"""Bytes of a data file where the table has no wish; readers split it at its row groups."""
READERS: Final = 8
CODEC: Final = "zstd"
"""Compression where the table has no wish."""


def write(run: Run, sql: str, select: str, metadata: TableMetadata, io: FileIO) -> list[DataFile]:
    """Let DuckDB write the rows of a query below the table's location; the files that hold them.

    Args:
        run: Runs a statement; its rows by column names.
        sql: The query.
        select: The select list that makes its columns those of the table.
        metadata: Schema, partitioning and location of the table.
        io: How its files are reached.
    """
    partitions = Partitions(metadata.spec(), metadata.schema())
    inner = f"SELECT {select} FROM (\n{sql}\n) AS model_subq"  # noqa: S608 # nosec B608 - a model's own SQL
    if partitions.names:
        inner = f"SELECT *, {partitions.hidden} FROM ({inner}) AS stored"  # noqa: S608 # nosec B608 - names of our own
    made = run(f"COPY ({inner}) TO '{_folder(metadata)}' ({_options(metadata, partitions)})")
    written = [row for row in made if row["count"]]
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(lambda row: _described(row, partitions, metadata, io), written))


def discard(files: Iterable[DataFile], io: FileIO) -> None:
    """Remove files that no snapshot refers to."""
    for file in files:
        io.delete(file.file_path)


def _folder(metadata: TableMetadata) -> str:
    """A folder of its own for each writing: what a killed one leaves is never taken for another's."""
    base = metadata.properties.get("write.data.path") or f"{metadata.location.rstrip('/')}/data"
    return f"{base.rstrip('/')}/{secrets.token_hex(8)}".replace("'", "''")


def _options(metadata: TableMetadata, partitions: Partitions) -> str:
    ids = ", ".join(_field_id(field) for field in metadata.schema().fields)
    wish = metadata.properties
    target = int(wish.get(TableProperties.WRITE_TARGET_FILE_SIZE_BYTES) or TARGET)
    codec = wish.get(TableProperties.PARQUET_COMPRESSION) or CODEC
    size = (
        f"PARTITION_BY ({', '.join(partitions.names)})"
        if partitions.names
        else f"FILE_SIZE_BYTES {target}, WRITE_EMPTY_FILE false"
    )
    shape = f"FORMAT parquet, COMPRESSION {_text(codec)}, FIELD_IDS {{{ids}}}"
    return f"{shape}, {size}, FILENAME_PATTERN 'part-{{uuid}}', RETURN_STATS true"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _field_id(field: NestedField) -> str:
    return f"{quoted(field.name)}: {_ids(field.field_id, field.field_type)}"


def _ids(number: int, kind: IcebergType) -> str:
    if isinstance(kind, StructType):
        parts = [_field_id(field) for field in kind.fields]
    elif isinstance(kind, ListType):
        parts = [f"element: {_ids(kind.element_id, kind.element_type)}"]
    elif isinstance(kind, MapType):
        parts = [f"key: {_ids(kind.key_id, kind.key_type)}", f"value: {_ids(kind.value_id, kind.value_type)}"]
    else:
        return str(number)
    return f"{{__duckdb_field_id: {number}, {', '.join(parts)}}}"


def _described(row: Mapping[str, Any], partitions: Partitions, metadata: TableMetadata, io: FileIO) -> DataFile:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    with io.new_input(row["filename"]).open() as stream:
        footer = pq.read_metadata(stream)
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=footer,
        stats_columns=_measured(metadata),
        parquet_column_mapping=parquet_path_to_id_mapping(metadata.schema()),
    )
    made = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=row["filename"],
        file_format=FileFormat.PARQUET,
        partition=partitions.record(row["partition_keys"] or {}) if partitions.names else Record(),
        file_size_in_bytes=row["file_size_bytes"],
        sort_order_id=None,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )
    made.spec_id = metadata.default_spec_id
    return made


def _measured(metadata: TableMetadata) -> dict[int, StatisticsCollector]:
    """What the table wishes to know of each column; empty values of a required one are counted in any case."""
    plan = compute_statistics_plan(metadata.schema(), metadata.properties)
    for field in metadata.schema().fields:
        held = plan.get(field.field_id)
        if field.required and held is not None and held.mode.type is MetricModeTypes.NONE:
            plan[field.field_id] = replace(held, mode=MetricsMode(MetricModeTypes.COUNTS))
    return plan

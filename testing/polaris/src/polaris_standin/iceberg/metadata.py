"""Table metadata: made, read, checked and changed with PyIceberg, shown as Polaris shows it.

PyIceberg is imported inside the functions: it takes a second, and the server should be ready before.
"""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from polaris_standin.errors import (
    ApiError,
    bad_request,
    commit_failed,
    illegal_argument,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableRequirement, TableUpdate

_NULL_IS_MINUS_ONE_UP_TO = 2
_DEFAULTS: dict[str, Any] = {
    "refs": {},
    "snapshots": [],
    "statistics": [],
    "partition-statistics": [],
    "snapshot-log": [],
    "metadata-log": [],
}


def new(body: dict[str, Any], location: str) -> TableMetadata:
    """Metadata of a table to create.

    Args:
        body: An Iceberg `CreateTableRequest`.
        location: Where the table will be.

    Raises:
        ApiError: 400, the body does not fit the model.
    """
    from pydantic import ValidationError
    from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import new_table_metadata
    from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, SortOrder

    try:
        schema = Schema.model_validate(body["schema"])
        spec, order = body.get("partition-spec"), body.get("write-order")
        return new_table_metadata(
            schema,
            PartitionSpec.model_validate(spec) if spec else UNPARTITIONED_PARTITION_SPEC,
            SortOrder.model_validate(order) if order else UNSORTED_SORT_ORDER,
            location,
            {**_created_now(), **{str(k): str(v) for k, v in (body.get("properties") or {}).items()}},
        )
    except (ValidationError, AttributeError):
        raise bad_request() from None
    except ValueError as error:
        raise illegal_argument(str(error)) from None


def parse(data: bytes) -> TableMetadata:
    """Metadata from a metadata file.

    Raises:
        ApiError: 400, the file is no table metadata.
    """
    from pydantic import ValidationError
    from pyiceberg.exceptions import ValidationError as IcebergValidationError
    from pyiceberg.table.metadata import TableMetadataUtil

    try:
        return TableMetadataUtil.parse_raw(data.decode())
    except (ValidationError, IcebergValidationError, UnicodeDecodeError):
        raise illegal_argument("Cannot parse table metadata") from None


def shown(metadata: TableMetadata) -> dict[str, Any]:
    """The JSON of metadata, with the fields that Iceberg's Java library always writes."""
    found: dict[str, Any] = {**_DEFAULTS, **json.loads(metadata.model_dump_json())}
    if metadata.format_version <= _NULL_IS_MINUS_ONE_UP_TO:
        found.setdefault("current-snapshot-id", -1)
    for schema in found["schemas"]:
        if not schema.get("identifier-field-ids"):
            schema.pop("identifier-field-ids", None)
    return found


def dump(metadata: TableMetadata) -> bytes:
    """The content of a metadata file."""
    return json.dumps(shown(metadata)).encode()


def referenced_only(body: dict[str, Any]) -> dict[str, Any]:
    """`snapshots=refs`: without the snapshots that no branch or tag points to."""
    wanted = {ref["snapshot-id"] for ref in body["refs"].values()}
    return {**body, "snapshots": [s for s in body["snapshots"] if s["snapshot-id"] in wanted]}


def file_name(metadata: TableMetadata, previous: str | None) -> str:
    """Location of the next metadata file, numbered after the previous one."""
    number = 0
    if previous is not None:
        prefix = PurePosixPath(previous).name.split("-", 1)[0]
        number = int(prefix) + 1 if prefix.isdigit() else 0
    folder = metadata.properties.get("write.metadata.path", f"{metadata.location}/metadata").rstrip("/")
    return f"{folder}/{number:05d}-{uuid.uuid4()}.metadata.json"


def parse_commit(body: Any) -> tuple[tuple[TableRequirement, ...], tuple[TableUpdate, ...]]:
    """Requirements and updates of a commit.

    Raises:
        ApiError: 400, the body does not fit the model.
    """
    from pydantic import TypeAdapter, ValidationError
    from pyiceberg.table.update import TableRequirement, TableUpdate

    requirements: TypeAdapter[tuple[TableRequirement, ...]] = TypeAdapter(tuple[TableRequirement, ...])
    updates: TypeAdapter[tuple[TableUpdate, ...]] = TypeAdapter(tuple[TableUpdate, ...])
    if not isinstance(body, dict):
        raise bad_request()
    try:
        return (
            requirements.validate_python(body.get("requirements") or ()),
            updates.validate_python(body.get("updates") or ()),
        )
    except ValidationError:
        raise bad_request() from None


def apply(base: TableMetadata | None, base_location: str | None, updates: tuple[TableUpdate, ...]) -> TableMetadata:
    """The metadata after a commit; from nothing when a staged table is created.

    Raises:
        ApiError: 400 or 409, the updates do not go together with the table.
    """
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.exceptions import ValidationError as IcebergValidationError
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadataV1
    from pyiceberg.table.update import update_table_metadata

    empty: Any = TableMetadataV1.model_construct(last_column_id=-1, schema=Schema())
    try:
        return update_table_metadata(
            base if base is not None else empty,
            updates,
            enforce_validation=base is None,
            metadata_location=base_location,
        )
    except CommitFailedException as error:
        raise commit_failed(str(error)) from None
    except (IcebergValidationError, ValueError) as error:
        raise ApiError(400, "ValidationException", str(error)) from None


def check(requirements: tuple[TableRequirement, ...], base: TableMetadata | None) -> None:
    """Hold a commit's requirements against the current metadata (None: no such table).

    Raises:
        ApiError: 409.
    """
    for requirement in requirements:
        fault = _fault(requirement, base)
        if fault:
            raise commit_failed(f"Requirement failed: {fault}")


def _fault(requirement: TableRequirement, base: TableMetadata | None) -> str | None:
    """What speaks against a requirement; None when it holds."""
    given: dict[str, Any] = requirement.model_dump(by_alias=True)
    if given["type"] == "assert-create":
        return "table already exists" if base is not None else None
    if base is None:
        return "current table metadata is missing"
    if given["type"] == "assert-table-uuid":
        same = given["uuid"] == base.table_uuid
        return None if same else f"UUID does not match: expected {base.table_uuid} != {given['uuid']}"
    if given["type"] == "assert-ref-snapshot-id":
        return _ref_fault(given["ref"], given["snapshot-id"], base)
    field, label, actual = _NUMBERS[given["type"]]
    return None if given[field] == actual(base) else f"{label} changed: expected id {given[field]} != {actual(base)}"


def _ref_fault(ref: str, expected: int | None, base: TableMetadata) -> str | None:
    current = base.refs.get(ref)
    if current is None:
        return None if expected is None else f"branch or tag {ref} is missing, expected {expected}"
    kind = str(current.snapshot_ref_type)
    if expected is None:
        return f"{kind} {ref} was created concurrently"
    if expected == current.snapshot_id:
        return None
    return f"{kind} {ref} has changed: expected id {expected} != {current.snapshot_id}"


_NUMBERS: dict[str, tuple[str, str, Callable[[TableMetadata], int | None]]] = {
    "assert-last-assigned-field-id": (
        "last-assigned-field-id",
        "last assigned field id",
        lambda base: base.last_column_id,
    ),
    "assert-current-schema-id": (
        "current-schema-id",
        "current schema",
        lambda base: base.current_schema_id,
    ),
    "assert-last-assigned-partition-id": (
        "last-assigned-partition-id",
        "last assigned partition id",
        lambda base: base.last_partition_id,
    ),
    "assert-default-spec-id": (
        "default-spec-id",
        "default partition spec",
        lambda base: base.default_spec_id,
    ),
    "assert-default-sort-order-id": (
        "default-sort-order-id",
        "default sort order",
        lambda base: base.default_sort_order_id,
    ),
}


def _created_now() -> dict[str, str]:
    """The properties that Polaris gives to every new table."""
    now = time.time_ns()
    second = datetime.fromtimestamp(now // 1_000_000_000, tz=UTC)
    return {
        "created-at": f"{second:%Y-%m-%dT%H:%M:%S}.{now % 1_000_000_000:09d}Z",
        "write.parquet.compression-codec": "zstd",
    }

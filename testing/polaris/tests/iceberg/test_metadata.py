from __future__ import annotations

from typing import Any

import pytest
from polaris_standin.errors import ApiError
from polaris_standin.iceberg import metadata

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": True}]}
LOCATION = "s3://b/ns/t"


@pytest.fixture(scope="module")
def base() -> Any:
    return metadata.new({"schema": SCHEMA, "properties": {"owner": "me"}}, LOCATION)


def _check(base: Any, requirement: dict[str, Any]) -> None:
    requirements, _ = metadata.parse_commit({"requirements": [requirement]})
    metadata.check(requirements, base)


def test_what_is_dumped_parses_to_the_same(base: Any) -> None:
    assert metadata.parse(metadata.dump(base)) == base
    assert metadata.shown(base)["current-snapshot-id"] == -1
    assert metadata.shown(base)["properties"]["owner"] == "me"


@pytest.mark.parametrize(
    "requirement",
    [
        {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None},
        {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 1},
        {"type": "assert-current-schema-id", "current-schema-id": 0},
        {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999},
        {"type": "assert-default-spec-id", "default-spec-id": 0},
        {"type": "assert-default-sort-order-id", "default-sort-order-id": 0},
    ],
)
def test_each_requirement_holds_or_is_named(base: Any, requirement: dict[str, Any]) -> None:
    _check(base, requirement)
    number = next(key for key in requirement if key not in ("type", "ref"))
    with pytest.raises(ApiError) as caught:
        _check(base, {**requirement, number: 7})
    assert caught.value.status == 409
    assert "7" in caught.value.message
    with pytest.raises(ApiError, match="missing"):
        _check(None, requirement)


def test_a_uuid_and_a_create_are_required(base: Any) -> None:
    _check(base, {"type": "assert-table-uuid", "uuid": str(base.table_uuid)})
    _check(None, {"type": "assert-create"})
    with pytest.raises(ApiError, match="already exists"):
        _check(base, {"type": "assert-create"})


@pytest.mark.parametrize(
    "body",
    [
        {"schema": "text"},
        {"schema": {"type": "struct", "fields": [{"id": 1, "name": "x", "type": "nonsense", "required": True}]}},
        {"schema": SCHEMA, "partition-spec": {"fields": [{"source-id": 9}]}},
        {"schema": SCHEMA, "properties": ["a"]},
    ],
)
def test_bodies_that_do_not_fit_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        metadata.new(body, LOCATION)
    assert caught.value.status == 400


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"format-version": 2}'])
def test_files_that_are_no_metadata_are_refused(data: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        metadata.parse(data)
    assert caught.value.status == 400


def test_files_are_numbered_and_stay_with_the_table(base: Any) -> None:
    first = metadata.file_name(base, None)
    second = metadata.file_name(base, first)
    assert first.startswith(f"{LOCATION}/metadata/00000-")
    assert second.startswith(f"{LOCATION}/metadata/00001-")


def test_updates_that_contradict_the_table_are_refused(base: Any) -> None:
    body = {"updates": [{"action": "set-current-schema", "schema-id": 9}]}
    _, updates = metadata.parse_commit(body)
    with pytest.raises(ApiError) as caught:
        metadata.apply(base, "s3://b/old", updates)
    assert caught.value.status == 400


def test_only_referenced_snapshots_are_shown_when_asked() -> None:
    body = {"refs": {"main": {"snapshot-id": 2}}, "snapshots": [{"snapshot-id": 1}, {"snapshot-id": 2}]}
    assert metadata.referenced_only(body)["snapshots"] == [{"snapshot-id": 2}]

"""What a product may write as a source, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from floe_ingestion_dlt.sources import DltSource
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

FILES = {"kind": "files", "url": "in", "format": "csv", "table": "orders"}
REST: dict[str, Any] = {"kind": "rest_api", "base_url": "https://x.example", "endpoints": [{"table": "a", "path": "a"}]}
SQL = {"kind": "sql", "url": {"env": "DB"}, "tables": [{"table": "a"}]}


@pytest.mark.parametrize(
    "right",
    [
        FILES,
        {**FILES, "write_disposition": "merge", "primary_key": ["id"], "only_new": True},
        {**FILES, "store": {"access_key": {"env": "A"}, "secret_key": {"secret": "b"}}},
        {**REST, "auth": {"type": "basic", "username": "u", "password": {"file": "/p"}}},
        {**REST, "base_url": {"env": "URL"}, "paginator": {"type": "cursor", "cursor_path": "next"}},
        {**SQL, "schema": "public"},
    ],
)
def test_what_can_be_written(right: dict[str, Any]) -> None:
    source = DltSource.model_validate(right)
    kept = source.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert DltSource.model_validate(kept) == source
    assert source.tables


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "kind"),
        ({"kind": "ftp"}, "kind"),
        ({**FILES, "write_disposition": "merge"}, "merge needs a primary_key"),
        ({**FILES, "write_disposition": "replace", "only_new": True}, "would lose the older"),
        ({**FILES, "write_disposition": "replace", "incremental": {"cursor": "id"}}, "would lose the older"),
        ({**FILES, "table": "Orders"}, "table"),
        ({**FILES, "table": "a__b"}, "table"),
        ({**FILES, "table": "_dlt_loads"}, "table"),
        ({**FILES, "url": "gs://bucket/in"}, "s3://bucket"),
        ({**FILES, "store": {"access_key": {"env": "A"}}}, "given together"),
        ({**REST, "endpoints": []}, "endpoints"),
        ({**REST, "base_url": "x.example"}, "begins with http"),
        ({**REST, "headers": {"Authorization": "Bearer x"}}, "by reference"),
        ({**REST, "auth": {"type": "bearer", "token": "literal"}}, "by reference"),  # nosec B105 - planted
        ({**REST, "endpoints": [{"table": "a", "path": "a"}, {"table": "a", "path": "b"}]}, "fill the table a"),
        ({**SQL, "url": "postgresql://u:p@h/d"}, "by reference"),
    ],
)
def test_what_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as refused:
        DltSource.model_validate(wrong)
    assert "u:p@h" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "url",
    "base_url",
    "format",
    "table",
    "tables",
    "endpoints",
    "auth",
    "paginator",
    "incremental",
    "glob",
    "store",
]


@settings(deadline=None)
@given(kind=st.sampled_from(["files", "rest_api", "sql"]), fields=st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_input_is_taken_or_refused(kind: str, fields: dict[str, Any]) -> None:
    try:
        source = DltSource.model_validate({"kind": kind, **fields})
    except ValidationError:
        return
    assert source.tables

"""What is refused before dlt is asked, and that one load of a pipeline runs at a time."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import UsageError
from floe_core.plugins import IngestionError, IngestionRequest
from floe_ingestion_dlt.config import DltConfig
from floe_ingestion_dlt.plugin import DltPlugin

FILES = {"kind": "files", "url": "in", "glob": "*.csv", "format": "csv", "table": "orders"}


def load(folder: Path, *, config: dict[str, Any] | None = None, **changed: Any) -> None:
    asked = {"pipeline": "shop.orders", "dataset": "raw", "source": FILES, "database": folder / "shop.duckdb"}
    request = IngestionRequest(**{**asked, **changed}, work_dir=folder / "work", base_dir=folder)
    DltPlugin(DltConfig.model_validate(config or {})).load(request)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"pipeline": "123"}, "pipeline '123'"),
        ({"dataset": "Raw"}, "dataset 'Raw'"),
        ({"dataset": "raw__x"}, "dataset"),
        ({"dataset": 'raw"; drop table x'}, "dataset"),
        ({"dataset": "shop"}, "name of its database"),
    ],
)
def test_names_that_would_be_rewritten(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(tmp_path, **changed)
    assert not list(tmp_path.iterdir())


def test_files_cannot_be_merged_into(tmp_path: Path) -> None:
    source = {**FILES, "write_disposition": "merge", "primary_key": ["id"]}
    with pytest.raises(IngestionError, match="cannot merge into Parquet"):
        load(tmp_path, config={"destination": {"kind": "filesystem", "url": "lake"}}, source=source)


def test_a_bucket_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "s3cret-of-the-store")
    # Tried once: how often is botocore's to say.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
    store = {"endpoint": endpoint, "access_key": {"env": "KEY"}, "secret_key": {"env": "KEY"}}
    with pytest.raises(IngestionError, match="EndpointConnectionError") as told:
        load(tmp_path, config={"destination": {"kind": "filesystem", "url": "s3://lake/in", "store": store}})
    assert "s3cret-of-the-store" not in str(told.value)


def test_the_same_pipeline_runs_once_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with (tmp_path / "work" / "shop_orders.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IngestionError, match="already running"):
            load(tmp_path)


def test_the_environment_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
    before = dict(os.environ)
    with pytest.raises(IngestionError):
        load(tmp_path)
    assert dict(os.environ) == before

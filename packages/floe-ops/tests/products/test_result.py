"""The kept result: whole or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError
from floe_core.plugins import Lane
from floe_ops.products.result import BuildResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_is_written_is_read(make_result: Callable[..., BuildResult], tmp_path: Path) -> None:
    result = make_result(Lane.ICEBERG)
    result.write(tmp_path / "iceberg.json")
    assert BuildResult.read(tmp_path / "iceberg.json") == result
    assert [path.name for path in tmp_path.iterdir()] == ["iceberg.json"]


@pytest.mark.parametrize("text", [None, "", '{"product": "tiny"}'])
def test_no_result_says_how_to_get_one(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "duckdb.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(MissingToolError) as caught:
        BuildResult.read(path)
    assert caught.value.remedy == "invoke dbt.demo --lane duckdb"

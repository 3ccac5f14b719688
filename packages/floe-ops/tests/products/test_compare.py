"""Two lanes, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError, WrongStateError
from floe_core.plugins import Lane
from floe_ops.products.compare import compare
from floe_ops.products.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.products.result import BuildResult, TableFacts


def keep(home: Path, *results: BuildResult) -> None:
    for result in results:
        places = Places.of(result.product, result.lane, home)
        places.target.mkdir(parents=True, exist_ok=True)
        result.write(places.result)


def test_equal_lanes_agree_wherever_their_tables_are(
    make_result: Callable[..., BuildResult], table: TableFacts, tmp_path: Path
) -> None:
    placed = table.model_copy(update={"snapshot_id": 7, "location": "s3://bucket/x"})
    keep(tmp_path, make_result(Lane.DUCKDB), make_result(Lane.ICEBERG, placed))
    files, catalog = compare("tiny", home=tmp_path)
    assert (files.lane, catalog.lane) == (Lane.DUCKDB, Lane.ICEBERG)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rows": 3}, "mart: 2 rows against 3"),
        ({"sums": {"amount": "3.51"}}, "mart.amount: 3.50 against 3.51"),
        ({"fingerprint": "18"}, "rows differ"),
        ({"columns": {"amount": "DOUBLE"}}, "mart.amount: DECIMAL(9,2) against DOUBLE"),
        ({"name": "other"}, "mart: only in the lane duckdb"),
    ],
)
def test_a_difference_is_named(
    make_result: Callable[..., BuildResult], table: TableFacts, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    keep(tmp_path, make_result(Lane.DUCKDB), make_result(Lane.ICEBERG, table.model_copy(update=change)))
    with pytest.raises(WrongStateError) as caught:
        compare("tiny", home=tmp_path)
    assert says in caught.value.why


def test_other_answers_are_a_difference(make_result: Callable[..., BuildResult], tmp_path: Path) -> None:
    keep(tmp_path, make_result(Lane.DUCKDB), make_result(Lane.ICEBERG, found="3"))
    with pytest.raises(WrongStateError) as caught:
        compare("tiny", home=tmp_path)
    assert "answered differently" in caught.value.why


def test_builds_of_different_files_are_not_compared(make_result: Callable[..., BuildResult], tmp_path: Path) -> None:
    keep(tmp_path, make_result(Lane.DUCKDB), make_result(Lane.ICEBERG, source="sha256:2"))
    with pytest.raises(WrongStateError, match="different files"):
        compare("tiny", home=tmp_path)


def test_a_lane_that_was_never_built_is_named(make_result: Callable[..., BuildResult], tmp_path: Path) -> None:
    keep(tmp_path, make_result(Lane.DUCKDB))
    with pytest.raises(MissingToolError, match="no result of the lane iceberg"):
        compare("tiny", home=tmp_path)

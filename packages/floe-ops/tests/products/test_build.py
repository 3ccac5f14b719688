"""What a build refuses before it starts, and where it keeps things."""

from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.errors import UsageError
from floe_core.plugins import DbtCommand, Lane
from floe_ops.products import build_product
from floe_ops.products.build import Places, request


def test_the_iceberg_lane_needs_a_platform(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="running platform"):
        build_product(tmp_path, Lane.ICEBERG)


def test_lanes_share_no_file(tmp_path: Path) -> None:
    files, catalog = (Places.of("customer-360", lane, tmp_path) for lane in Lane)
    assert files.database == tmp_path / "customer-360/duckdb/customer_360.duckdb"
    assert files.result == tmp_path / "customer-360/duckdb.json"
    assert set(vars(files).values()).isdisjoint(vars(catalog).values())


def test_dbt_writes_below_the_lane_only(tmp_path: Path) -> None:
    places = Places.of("tiny", Lane.DUCKDB, tmp_path)
    asked = request(Path("/product"), places, Lane.DUCKDB, DbtCommand.RUN)
    assert asked.target_path.is_relative_to(places.lane_dir)
    assert asked.environment == {"FLOE_DUCKDB_PATH": str(places.database)}
    assert (asked.project_dir, asked.target) == (Path("/product"), "duckdb")

"""What a build refuses before it starts, and where it keeps things."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_core.plugins import Lane
from floe_ops.products import Ask, build_product
from floe_ops.products.build import environment
from floe_ops.products.places import Places

if TYPE_CHECKING:
    from pathlib import Path


def test_the_iceberg_lane_needs_a_platform(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="running platform"):
        build_product(tmp_path, Ask(Lane.ICEBERG))


def test_lanes_share_no_file_but_the_product(tmp_path: Path) -> None:
    files, catalog = (vars(Places.of("customer-360", lane, tmp_path)) for lane in Lane)
    assert files["database"] == tmp_path / "customer-360/lanes/duckdb/customer_360.duckdb"
    assert files["result"] == tmp_path / "customer-360/duckdb.json"
    assert {name for name in files if files[name] == catalog[name]} == {"target", "scaled"}


def test_variables_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEFORE", "1")
    monkeypatch.delenv("NEVER", raising=False)
    with environment({"BEFORE": "2", "NEVER": "3"}):
        assert (os.environ["BEFORE"], os.environ["NEVER"]) == ("2", "3")
    assert os.environ["BEFORE"] == "1"
    assert "NEVER" not in os.environ

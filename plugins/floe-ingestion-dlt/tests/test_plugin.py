"""The plugin keeps its type's contract: real files into a real DuckDB file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from floe_core.plugins import IngestionError, IngestionRequest
from floe_core.testing import IngestionConformance
from floe_ingestion_dlt.config import DltConfig
from floe_ingestion_dlt.plugin import DltPlugin
from floe_ingestion_dlt.sources import DltSource

SECRET = "s3cret-behind-a-reference"  # noqa: S105 - planted
FILES = {"kind": "files", "url": "in", "glob": "*.csv", "format": "csv", "table": "orders"}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "product"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "orders.csv").write_text("id,name\n1,a\n2,b\n3,c\n")
    return folder


@pytest.fixture
def load_request(base: Path) -> IngestionRequest:
    return IngestionRequest("shop.orders", FILES, "raw", base / "work", base, base / "shop.duckdb")


class TestDlt(IngestionConformance):
    @pytest.fixture
    def plugin(self) -> DltPlugin:
        return DltPlugin(DltConfig())

    @pytest.fixture
    def expected_rows(self) -> dict[str, int]:
        return {"orders": 3}

    @pytest.fixture
    def secret(self, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("SHOP_DB", f"duckdb://reader:{SECRET}@nowhere/x")
        return SECRET

    @pytest.fixture
    def broken(self, base: Path, secret: str) -> IngestionRequest:
        assert secret, "the variable is set"
        source = {"kind": "sql", "url": {"env": "SHOP_DB"}, "tables": [{"table": "orders"}]}
        return IngestionRequest("shop.orders", source, "raw", base / "work", base, base / "shop.duckdb")

    @pytest.fixture
    def count(self, base: Path) -> Callable[[str], int]:
        def rows(table: str) -> int:
            with duckdb.connect(str(base / "shop.duckdb"), read_only=True) as connection:
                found = connection.table(f"raw.{table}").aggregate("count(*)").fetchone()
                return int(found[0]) if found else 0

        return rows


def test_a_checked_source_is_taken_as_it_is(load_request: IngestionRequest, base: Path) -> None:
    request = IngestionRequest("shop.orders", DltSource.model_validate(FILES), "raw", base / "w", base)
    assert dict(DltPlugin(DltConfig()).load(request).rows) == {"orders": 3}
    assert (base / "target" / "landing.duckdb").exists()


def test_a_glob_that_matches_nothing_is_told(base: Path) -> None:
    plugin = DltPlugin(DltConfig())
    for required in (True, False):
        source = {**FILES, "glob": "*.tsv", "required": required}
        request = IngestionRequest("shop.orders", source, "raw", base / "work", base, base / "shop.duckdb")
        if required:
            with pytest.raises(IngestionError, match="no file for the table orders"):
                plugin.load(request)
        else:
            assert dict(plugin.load(request).rows) == {"orders": 0}

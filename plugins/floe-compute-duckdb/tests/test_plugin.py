"""The compute plugin `duckdb`, held to the contract and to dbt-duckdb itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from floe_compute_duckdb.plugin import PATH_ENV, DuckDBComputePlugin, DuckDBConfig
from floe_core.plugins import BuiltTable, ComputeError, Lane, LaneNotSupportedError, TargetRequest
from floe_core.testing import ComputeConformance
from pydantic import ValidationError

if TYPE_CHECKING:
    from pathlib import Path


def target(lane: Lane = Lane.DUCKDB, **config: Any) -> dict[str, Any]:
    return DuckDBComputePlugin(DuckDBConfig(**config)).dbt_target(TargetRequest("orders", lane))


class TestConformance(ComputeConformance):
    @pytest.fixture
    def plugin(self) -> DuckDBComputePlugin:
        return DuckDBComputePlugin(DuckDBConfig())


def test_each_lane_has_its_own_file() -> None:
    paths = {target(lane)["path"] for lane in Lane}
    assert paths == {f"{{{{ env_var('{PATH_ENV}', 'target/orders-{lane}.duckdb') }}}}" for lane in Lane}


def test_settings_reach_the_target() -> None:
    made = target(threads=2, memory_limit="1GB")
    assert made["threads"] == 2
    assert made["settings"] == {"TimeZone": "UTC", "threads": 2, "memory_limit": "1GB"}


def test_memory_has_nothing_to_publish() -> None:
    assert target(path=":memory:")["path"] == ":memory:"
    with pytest.raises(LaneNotSupportedError, match="Iceberg lane"):
        target(Lane.ICEBERG, path=":memory:")


@pytest.mark.parametrize("path", ["/abs.duckdb", "../up.duckdb", "a/../../b", "x'y", "{other}.duckdb", "a\nb", ""])
def test_paths_that_leave_the_folder_or_the_quotes_are_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        DuckDBConfig(path=path)


@pytest.mark.parametrize("config", [{"threads": 0}, {"threads": "4"}, {"memory_limit": "lots"}, {"treads": 4}])
def test_settings_that_mean_nothing_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DuckDBConfig.model_validate(config)


def test_duckdb_takes_the_settings(tmp_path: Path) -> None:
    import duckdb

    made = target(threads=2, memory_limit="512MB")
    with duckdb.connect(str(tmp_path / "orders.duckdb")) as connection:
        for name, value in made["settings"].items():
            connection.execute(f"SET {name} = '{value}'")
        assert connection.execute("SELECT current_setting('threads'), current_setting('TimeZone')").fetchone() == (
            2,
            "UTC",
        )


def test_dbt_duckdb_takes_the_target() -> None:
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    made = {name: value for name, value in target().items() if name not in {"type", "threads"}}
    credentials = DuckDBCredentials.from_dict({**made, "path": "orders.duckdb", "database": "orders"})
    assert credentials.schema == "main"
    assert credentials.settings == made["settings"]


class TestRows:
    """What a build left, handed out for the catalog."""

    REQUEST = TargetRequest("orders", Lane.ICEBERG)

    @pytest.fixture
    def built(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.delenv("FLOE_DUCKDB_PATH", raising=False)
        (tmp_path / "target").mkdir()
        with duckdb.connect(str(tmp_path / "target" / "orders-iceberg.duckdb")) as connection:
            connection.execute('create schema "odd ""one"""')
            select = "select 1 as n, timestamptz '2026-01-01 00:00:00+00' as t"
            connection.execute(f'create view "odd ""one"""."a table" as {select}')
        return tmp_path

    def test_come_as_a_stream_of_arrow_in_utc(self, built: Path) -> None:
        table = BuiltTable('odd "one"', "a table")
        with DuckDBComputePlugin(DuckDBConfig()).rows(self.REQUEST, built, table) as rows:
            read = rows.read_all()
        assert read.column("n").to_pylist() == [1]
        assert read.schema.field("t").type.tz == "UTC"

    def test_of_a_table_that_is_not_there_are_told(self, built: Path) -> None:
        rows = DuckDBComputePlugin(DuckDBConfig()).rows(self.REQUEST, built, BuiltTable("main", "no_table"))
        with pytest.raises(ComputeError, match=r"main\.no_table cannot be read"), rows:
            pass

    def test_are_not_looked_for_in_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        rows = DuckDBComputePlugin(DuckDBConfig()).rows(self.REQUEST, tmp_path, BuiltTable("main", "t"))
        with pytest.raises(ComputeError), rows:
            pass
        assert not (tmp_path / "target").exists()


def test_the_database_file_is_the_one_that_dbt_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATH_ENV, raising=False)
    request = TargetRequest("orders", Lane.DUCKDB)
    plugin = DuckDBComputePlugin(DuckDBConfig())
    assert plugin.database_file(request, tmp_path) == tmp_path / "target" / "orders-duckdb.duckdb"
    assert DuckDBComputePlugin(DuckDBConfig(path=":memory:")).database_file(request, tmp_path) is None
    monkeypatch.setenv(PATH_ENV, str(tmp_path / "elsewhere.duckdb"))
    assert plugin.database_file(request, tmp_path) == tmp_path / "elsewhere.duckdb"

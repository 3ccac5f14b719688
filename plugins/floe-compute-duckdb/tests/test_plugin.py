"""The compute plugin `duckdb`, held to the contract and to dbt-duckdb itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from floe_compute_duckdb.plugin import PATH_ENV, DuckDBComputePlugin, DuckDBConfig
from floe_core.plugins import Lane, LaneNotSupportedError, TargetRequest
from floe_core.testing import ComputeConformance
from floe_core.testing.compute import asked
from pydantic import ValidationError

if TYPE_CHECKING:
    from pathlib import Path


def target(lane: Lane = Lane.DUCKDB, **config: Any) -> dict[str, Any]:
    return DuckDBComputePlugin(DuckDBConfig(**config)).dbt_target(asked("some-orders", lane))


class TestConformance(ComputeConformance):
    @pytest.fixture
    def plugin(self) -> DuckDBComputePlugin:
        return DuckDBComputePlugin(DuckDBConfig())


def test_each_lane_has_its_own_file() -> None:
    paths = {target(lane)["path"] for lane in Lane}
    assert paths == {f"{{{{ env_var('{PATH_ENV}', 'target/some-orders-{lane}.duckdb') }}}}" for lane in Lane}


def test_settings_reach_the_target() -> None:
    made = target(threads=2, memory_limit="1GB")
    assert made["threads"] == 2
    assert made["settings"] == {"TimeZone": "UTC", "threads": 2, "memory_limit": "1GB"}


def test_views_in_memory_would_be_gone_between_two_commands() -> None:
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


def test_the_iceberg_lane_leads_to_the_catalog_and_holds_references_only() -> None:
    made = target(Lane.ICEBERG, threads=2)
    assert made == {
        "type": "duckdb_iceberg",
        "path": "{{ env_var('FLOE_DUCKDB_PATH', 'target/some-orders-iceberg.duckdb') }}",
        "schema": "main",
        "threads": 2,
        "settings": {"TimeZone": "UTC", "threads": 2},
        "namespace": "some_orders",
        "catalog": {
            "uri": "{{ env_var('CATALOG_URL') }}",
            "warehouse": "warehouse",
            "client_id": "someone",
            "client_secret": "{{ env_var('CATALOG_SECRET') }}",  # nosec B105 - planted or a reference
            "scope": "PRINCIPAL_ROLE:ALL",
        },
        "storage": {
            "endpoint": "{{ env_var('STORE_URL') }}",
            "region": "us-east-1",
            "access_key": "{{ env_var('STORE_KEY') }}",  # nosec B105 - planted or a reference
            "secret_key": "{{ env_var('STORE_SECRET') }}",  # nosec B105 - planted or a reference
            "path_style": True,
        },
    }


def test_the_database_file_is_the_one_that_dbt_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATH_ENV, raising=False)
    request = TargetRequest("orders", Lane.DUCKDB)
    plugin = DuckDBComputePlugin(DuckDBConfig())
    assert plugin.database_file(request, tmp_path) == tmp_path / "target" / "orders-duckdb.duckdb"
    assert DuckDBComputePlugin(DuckDBConfig(path=":memory:")).database_file(request, tmp_path) is None
    monkeypatch.setenv(PATH_ENV, str(tmp_path / "elsewhere.duckdb"))
    assert plugin.database_file(request, tmp_path) == tmp_path / "elsewhere.duckdb"

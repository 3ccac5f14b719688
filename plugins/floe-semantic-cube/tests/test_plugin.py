"""The plugin keeps its type's contract, and says where data and server are."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from floe_core.errors import UsageError
from floe_core.plugins import HealthState, Lane, SemanticLayerError, TargetRequest
from floe_core.spec.secrets import SecretRef
from floe_core.testing import SemanticLayerConformance
from floe_semantic_cube.config import CubeConfig
from floe_semantic_cube.plugin import CubePlugin
from pydantic import ValidationError

SECRET = "s3cret-behind-a-reference"  # noqa: S105 - planted


class TestCube(SemanticLayerConformance):
    @pytest.fixture
    def secret(self, monkeypatch: pytest.MonkeyPatch) -> str:
        for name in ("CUBEJS_API_SECRET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, SECRET)
        return SECRET

    @pytest.fixture
    def plugin(self) -> CubePlugin:
        return CubePlugin(CubeConfig.model_validate({"iceberg": {"endpoint": {"env": "STORE"}, "use_ssl": False}}))


def test_the_duckdb_lane_is_a_file() -> None:
    found = CubePlugin(CubeConfig()).datasource(TargetRequest("shop-1", Lane.DUCKDB))
    assert found["CUBEJS_DB_TYPE"] == "duckdb"
    assert found["CUBEJS_DB_DUCKDB_DATABASE_PATH"] == "/data/shop-1-duckdb.duckdb"
    assert found["CUBEJS_API_SECRET"] == SecretRef(env="CUBEJS_API_SECRET")


def test_the_iceberg_lane_needs_a_store() -> None:
    with pytest.raises(SemanticLayerError, match="Iceberg lane of shop"):
        CubePlugin(CubeConfig()).datasource(TargetRequest("shop", Lane.ICEBERG))
    config = CubeConfig.model_validate({"iceberg": {"endpoint": "store:9000", "use_ssl": False}})
    found = CubePlugin(config).datasource(TargetRequest("shop", Lane.ICEBERG))
    assert found["CUBEJS_DB_DUCKDB_S3_ENDPOINT"] == "store:9000"
    assert found["CUBEJS_DB_DUCKDB_S3_USE_SSL"] == "false"
    assert found["CUBEJS_DB_DUCKDB_EXTENSIONS"] == "httpfs,iceberg"
    assert found["CUBEJS_DB_DUCKDB_S3_SECRET_ACCESS_KEY"] == SecretRef(env="AWS_SECRET_ACCESS_KEY")


def test_a_named_source_has_variables_of_its_own() -> None:
    found = CubePlugin(CubeConfig(data_source="lake")).datasource(TargetRequest("shop", Lane.DUCKDB))
    assert found["CUBEJS_DATASOURCES"] == "default,lake"
    assert found["CUBEJS_DS_LAKE_DB_TYPE"] == "duckdb"
    assert found["CUBEJS_DS_LAKE_DB_DUCKDB_DATABASE_PATH"] == "/data/shop-duckdb.duckdb"
    assert not [name for name in found if name.startswith("CUBEJS_DS") and ("SECRET" in name or "TELEMETRY" in name)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"select": {"tags": [], "prefixes": [], "output_ports": False}},
        {"server_url": "cube:4000"},
        {"database_path": "/data/{nothing}.duckdb"},
        {"refresh_every": "now and then"},
        {"api_secret": "a-literal"},  # nosec B105 - planted
    ],
)
def test_a_wrong_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CubeConfig.model_validate(wrong)


@pytest.mark.parametrize(("status", "state"), [(200, HealthState.HEALTHY), (500, HealthState.UNHEALTHY)])
def test_health_is_cubes_readiness(status: int, state: HealthState) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.handle_request, daemon=True)
        serving.start()
        url = f"http://127.0.0.1:{server.server_port}/base/"
        found = CubePlugin(CubeConfig(server_url=url)).health_check(5.0)
        serving.join(10)
    assert (found.state, asked) == (state, ["/base/readyz"])


def test_a_server_that_is_not_there_is_unhealthy() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
    assert CubePlugin(CubeConfig(server_url=url)).health_check(2.0).state is HealthState.UNHEALTHY
    with pytest.raises(UsageError):
        CubePlugin(CubeConfig(server_url="http://")).health_check(2.0)

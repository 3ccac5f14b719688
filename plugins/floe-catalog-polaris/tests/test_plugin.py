from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from floe_catalog_polaris.plugin import PolarisCatalogPlugin, PolarisConfig
from floe_core.plugins import (
    CatalogAuthenticationError,
    CatalogError,
    CatalogUnavailableError,
    HealthState,
)
from floe_core.spec.secrets import SecretUnavailableError
from floe_core.testing import CatalogConformance
from polaris_standin.scripted import Reply
from pydantic import ValidationError

if TYPE_CHECKING:
    from pathlib import Path

    from polaris_standin.scripted import ScriptedServer
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

CONFIG = "GET /api/catalog/v1/config"
TOKENS = "POST /api/catalog/v1/oauth/tokens"
DAYS = ("orders", "marts", "days")
SERVED = {
    "defaults": {"default-base-location": "s3://floe-iceberg"},
    "overrides": {"prefix": "floe-e2e"},
    "endpoints": [
        "GET /v1/{prefix}/namespaces",
        "POST /v1/{prefix}/namespaces",
        "GET /v1/{prefix}/namespaces/{namespace}/tables",
    ],
}


@pytest.fixture
def plugin(server: ScriptedServer, secret: str, monkeypatch: pytest.MonkeyPatch) -> PolarisCatalogPlugin:
    monkeypatch.setenv("FLOE_POLARIS_URL", f"{server.url}/api/catalog")
    monkeypatch.setenv("POLARIS_CLIENT_ID", "root")
    monkeypatch.setenv("POLARIS_CLIENT_SECRET", secret)
    server.script[CONFIG] = Reply(body=SERVED)
    return PolarisCatalogPlugin(PolarisConfig(connect_timeout_s=0.5, read_timeout_s=0.5))


class TestConformance(CatalogConformance):
    @pytest.fixture
    def unreachable(self, plugin: PolarisCatalogPlugin) -> PolarisCatalogPlugin:
        return PolarisCatalogPlugin(plugin.config.model_copy(update={"uri": "http://127.0.0.1:1"}))


def test_discovery_loads_no_heavy_library() -> None:
    code = (
        "import sys, floe_catalog_polaris.plugin; "
        "print(*sorted({'pyiceberg','pyarrow','requests','boto3','tenacity'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""


def test_the_configuration_holds_references_and_takes_no_literal_secret(secret: str) -> None:
    with pytest.raises(ValidationError):
        PolarisConfig.model_validate({"client_secret": secret})
    assert PolarisConfig().model_dump(mode="json", exclude_none=True)["client_secret"] == {
        "env": "POLARIS_CLIENT_SECRET"
    }


@pytest.mark.parametrize("scope", ["catalog", "", "PRINCIPAL_ROLE:"])
def test_a_scope_that_polaris_refuses_is_refused_here(scope: str) -> None:
    with pytest.raises(ValidationError):
        PolarisConfig(scope=scope)


def test_connects_with_a_token_of_our_client_and_without_delegation(
    plugin: PolarisCatalogPlugin, server: ScriptedServer, secret: str
) -> None:
    catalog = plugin.connect({"s3.endpoint": "http://127.0.0.1:9000"})
    asked = next(seen for seen in server.seen if seen.path.startswith("/api/catalog/v1/config"))
    assert asked.path.endswith("?warehouse=floe-e2e")
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert asked.headers["X-Iceberg-Access-Delegation"] == ""
    assert secret not in repr(catalog.properties)
    assert catalog.properties["s3.endpoint"] == "http://127.0.0.1:9000"


def test_makes_a_namespace_with_those_above_it(plugin: PolarisCatalogPlugin, server: ScriptedServer) -> None:
    exists = {"error": {"message": "exists", "type": "AlreadyExistsException", "code": 409}}
    made = {"namespace": ["a"], "properties": {}}
    server.script["POST /api/catalog/v1/floe-e2e/namespaces"] = [
        Reply(409, exists),
        Reply(200, made),
        Reply(409, exists),
    ]
    assert plugin.create_namespace("a.b") is True
    assert plugin.create_namespace("a.b") is False


def test_lists_tables_sorted(plugin: PolarisCatalogPlugin, server: ScriptedServer) -> None:
    server.script["GET /api/catalog/v1/floe-e2e/namespaces/a%1Fb/tables"] = Reply(
        body={"identifiers": [{"namespace": ["a", "b"], "name": name} for name in ("z", "m")]}
    )
    assert plugin.list_tables("a.b") == ("m", "z")


def test_a_missing_namespace_is_told(plugin: PolarisCatalogPlugin, server: ScriptedServer) -> None:
    missing = {"message": "Namespace does not exist: a", "type": "NoSuchNamespaceException", "code": 404}
    server.script["GET /api/catalog/v1/floe-e2e/namespaces/a/tables"] = Reply(404, {"error": missing})
    with pytest.raises(CatalogError, match="Namespace does not exist: a"):
        plugin.list_tables("a")


@pytest.mark.requirement("WU1-BC4")
def test_refused_credentials(plugin: PolarisCatalogPlugin, server: ScriptedServer, secret: str) -> None:
    server.script[TOKENS] = Reply(401, {"error": "unauthorized_client", "error_description": "no"})
    with pytest.raises(CatalogAuthenticationError, match="'root'") as caught:
        plugin.connect()
    assert secret not in str(caught.value)
    assert plugin.health_check(1.0).state is HealthState.UNHEALTHY


def test_a_reference_that_points_to_nothing_is_told_as_such(
    plugin: PolarisCatalogPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POLARIS_CLIENT_SECRET")
    with pytest.raises(SecretUnavailableError, match="POLARIS_CLIENT_SECRET"):
        plugin.connect()


def test_nothing_answers(plugin: PolarisCatalogPlugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_POLARIS_URL", "http://127.0.0.1:1")
    with pytest.raises(CatalogUnavailableError, match="connection refused"):
        plugin.connect()
    assert "connection refused" in plugin.health_check(1.0).message


def test_a_server_that_hangs_does_not_hold_the_catalog(server: ScriptedServer, plugin: PolarisCatalogPlugin) -> None:
    server.script[CONFIG] = Reply(body=SERVED, wait_s=30)
    start = time.monotonic()
    with pytest.raises(CatalogUnavailableError, match="connect"):
        plugin.connect()
    assert time.monotonic() - start < 15


def test_health_tells_a_missing_warehouse(plugin: PolarisCatalogPlugin, server: ScriptedServer) -> None:
    assert plugin.health_check(1.0).state is HealthState.HEALTHY
    missing = {"message": "Unable to find warehouse floe-e2e", "type": "NotFoundException", "code": 404}
    server.script[CONFIG] = Reply(404, {"error": missing})
    health = plugin.health_check(1.0)
    assert health.state is HealthState.UNHEALTHY
    assert "floe-e2e" in health.message


class TestStates:
    """What the catalog has of a product's tables; the catalog is PyIceberg's own."""

    @pytest.fixture
    def kept(self, plugin: PolarisCatalogPlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
        from pyiceberg.catalog.memory import InMemoryCatalog

        made = InMemoryCatalog("test", warehouse=f"file://{tmp_path}/warehouse")
        monkeypatch.setattr(plugin, "connect", lambda _fileio=None: made)
        # What is asked of it later is asked of the same one.
        monkeypatch.setattr(made, "close", lambda: None)
        for level in (("orders",), ("orders", "marts")):
            made.create_namespace(level)
        return made

    def write(self, catalog: Catalog, *days: int) -> Table:
        import pyarrow as pa  # type: ignore[import-untyped] # publishes no types

        rows = pa.table({"id": pa.array(days, pa.int64())})
        table = catalog.create_table_if_not_exists(DAYS, rows.schema)
        if days:
            table.append(rows)
        return table

    def test_are_rows_and_snapshot(self, plugin: PolarisCatalogPlugin, kept: Catalog) -> None:
        table = self.write(kept, 1, 2)
        (found,) = plugin.states([DAYS])
        snapshot = table.current_snapshot()
        assert snapshot
        assert (found.name, found.rows, found.snapshot_id) == ("days", 2, snapshot.snapshot_id)
        assert set(table.refresh().refs()) == {"main"}

    def test_do_not_count_rows_that_an_engine_deleted_by_position(
        self, plugin: PolarisCatalogPlugin, kept: Catalog
    ) -> None:
        from floe_iceberg.testing import delete_positions

        delete_positions(self.write(kept, 1, 2, 3), {2, 3})
        (found,) = plugin.states([DAYS])
        assert found.rows == 1

    def test_of_a_table_without_a_row_have_no_snapshot(self, plugin: PolarisCatalogPlugin, kept: Catalog) -> None:
        self.write(kept)
        (found,) = plugin.states([DAYS], release="1.0.0")
        assert (found.rows, found.snapshot_id) == (0, None)

    def test_are_released_and_the_tag_follows_its_version(self, plugin: PolarisCatalogPlugin, kept: Catalog) -> None:
        table = self.write(kept, 1)
        (first,) = plugin.states([DAYS], release="1.0.0")
        assert plugin.states([DAYS], release="1.0.0") == (first,)
        self.write(kept, 2)
        (second,) = plugin.states([DAYS], release="1.0.0")
        plugin.states([DAYS], release="1.1.0")
        refs = {name: ref.snapshot_id for name, ref in table.refresh().refs().items() if name != "main"}
        assert refs == {"v1.0.0": second.snapshot_id, "v1.1.0": second.snapshot_id}
        assert first.snapshot_id != second.snapshot_id

    def test_of_a_table_that_is_not_there_are_told(self, plugin: PolarisCatalogPlugin, kept: Catalog) -> None:
        del kept
        with pytest.raises(CatalogError, match="refused states"):
            plugin.states([DAYS])


def test_the_address_keeps_its_references(plugin: PolarisCatalogPlugin) -> None:
    found = plugin.address()
    assert (found.uri, found.client_secret) == (
        "{{ env_var('FLOE_POLARIS_URL') }}",
        "{{ env_var('POLARIS_CLIENT_SECRET') }}",
    )
    assert (found.warehouse, found.realm) == ("floe-e2e", "")


def test_a_store_that_refuses_is_told_without_its_words(plugin: PolarisCatalogPlugin) -> None:
    with pytest.raises(CatalogError, match="object store failed in maintain") as told, plugin._told("maintain"):
        raise PermissionError("AWS Error ACCESS_DENIED for key-of-somebody")
    assert told.value.why == "PermissionError"
    assert "key-of-somebody" not in str(told.value)

"""Plugins by name and reference: no secret reaches what Dagster keeps or shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dagster import DefaultScheduleStatus, Definitions, asset
from floe_core.plugins import CatalogUnavailableError, PluginType
from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.registry.errors import PluginNotFoundError
from floe_core.spec.secrets import SecretUnavailableError
from floe_orchestrator_dagster.loader import load_product_definitions
from floe_orchestrator_dagster.product import read_product
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.resources.dbt_resource import DbtResource
from floe_orchestrator_dagster.resources.iceberg import IcebergAccess, IcebergResource
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HIDDEN = "hunter2-7f3a"
POLARIS = {
    "uri": {"env": "BENCH_URI"},
    "client_id": "floe",
    "client_secret": {"env": "BENCH_SECRET"},
    "connect_timeout_s": 0.5,
}


@pytest.fixture
def access(monkeypatch: pytest.MonkeyPatch) -> IcebergAccess:
    monkeypatch.setenv("BENCH_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("BENCH_SECRET", HIDDEN)
    return IcebergAccess(catalog_plugin=Chosen(plugin="polaris", config=POLARIS))


@pytest.mark.parametrize("config", [{"client_secret": HIDDEN}, {"store": {"secret_key": HIDDEN}}])
def test_a_secret_that_is_written_down_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="is written down"):
        Chosen(plugin="polaris", config=config)


def test_the_catalog_is_opened_by_its_plugin_when_it_is_asked_for(access: IcebergAccess) -> None:
    resource = IcebergResource(access=access)
    with pytest.raises(CatalogUnavailableError) as caught:  # the address was resolved, and nothing answers there
        resource.catalog()
    assert "127.0.0.1:1" in caught.value.where
    assert HIDDEN not in str(caught.value)


def test_a_reference_that_points_to_nothing_is_named(access: IcebergAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_SECRET")
    with pytest.raises(SecretUnavailableError, match="BENCH_SECRET"):
        access.open()


def test_a_plugin_that_is_not_installed_is_named() -> None:
    with pytest.raises(PluginNotFoundError, match="'nowhere'"):
        Chosen(plugin="nowhere").create(PluginType.CATALOG)


def test_what_dagster_shows_of_a_resource_holds_references_only(access: IcebergAccess) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap

    @asset(required_resource_keys={"iceberg"})
    def used() -> None: ...

    definitions = Definitions(assets=[used], resources={"iceberg": IcebergResource(access=access)})
    shown = str(RepositorySnap.from_def(definitions.get_repository_def()).resources)
    assert "BENCH_SECRET" in shown
    assert HIDDEN not in shown


def test_a_platform_without_a_catalog_has_no_access(make_product: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError, match="has no catalog"):
        IcebergAccess.of(read_product(make_product(), state=tmp_path / "state"))


def test_dbt_gets_the_secrets_of_a_compiled_profile_and_dagster_does_not(
    loading_product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "manifest.yaml"
    (tmp_path / "key").write_text(HIDDEN, encoding="utf-8")
    by_file = manifest.read_text(encoding="utf-8").replace("{ env: NOT_SET }", f"{{ file: {tmp_path}/key }}")
    manifest.write_text(by_file, encoding="utf-8")
    for name in ("FLOE_POLARIS_URL", "POLARIS_CLIENT_ID", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    product = read_product(loading_product, state=tmp_path / "state", lane="iceberg")
    resource = DbtResource.of(product)
    assert HIDDEN in resource._secret().values()
    assert HIDDEN not in str(resource.model_dump())
    assert HIDDEN not in (product.state / "profiles.yml").read_text(encoding="utf-8")


def test_in_the_iceberg_lane_a_product_has_its_catalog_and_its_maintenance(
    loading_product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLOE_POLARIS_URL", "POLARIS_CLIENT_ID", "NOT_SET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, HIDDEN)
    monkeypatch.setenv("FLOE_LANE", "iceberg")
    repository = load_product_definitions(loading_product, state=tmp_path / "state").get_repository_def()
    assert {"tiny_product_build", "tiny_product_maintenance"} <= {job.name for job in repository.get_all_jobs()}
    schedules = {one.name: one.job_name for one in repository.schedule_defs}
    assert schedules == {"tiny_product_maintenance_schedule": "tiny_product_maintenance"}
    (schedule,) = repository.schedule_defs
    assert schedule.default_status is DefaultScheduleStatus.STOPPED  # nobody says how long history is kept
    keys = {key.to_user_string() for key in repository.asset_graph.materializable_asset_keys}
    assert {"tiny_product/raw/visits", "tiny_product/semantic/cube"} < keys
    assert {"tiny_product_iceberg", "tiny_product_iceberg_io"} <= set(repository.get_top_level_resources())

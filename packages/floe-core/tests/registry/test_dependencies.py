from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from floe_core.errors import ExitCode
from floe_core.plugins import PluginConfig, PluginType
from floe_core.registry import CyclicDependencyError, MissingDependencyError, PluginNotFoundError
from floe_core.registry.dependencies import needs, order, problems
from floe_core.spec.secrets import SecretRef
from pydantic import BaseModel

CATALOG, STORAGE, COMPUTE = PluginType.CATALOG, PluginType.STORAGE, PluginType.COMPUTE
SECRETS, RBAC = PluginType.SECRETS, PluginType.RBAC
Names = Callable[..., list[str]]


class Inner(BaseModel):
    token: SecretRef


class Config(PluginConfig):
    parts: dict[str, list[Inner]] | None = None
    key: SecretRef | None = None


def test_one_name_in_two_types_is_two_plugins_in_order(plugin: Callable[..., Any], names: Names) -> None:
    chosen = [plugin(RBAC, "k8s", SECRETS), plugin(SECRETS, "k8s"), plugin(CATALOG, "a", RBAC)]
    assert names(order(chosen)) == ["secrets/k8s", "rbac/k8s", "catalog/a"]


def test_a_type_with_two_plugins_starts_both_first(plugin: Callable[..., Any], names: Names) -> None:
    chosen = [plugin(CATALOG, "c", STORAGE), plugin(STORAGE, "s3"), plugin(STORAGE, "gcs")]
    assert names(order(chosen)) == ["storage/gcs", "storage/s3", "catalog/c"]


def test_a_missing_dependency_names_who_declares_it(plugin: Callable[..., Any]) -> None:
    with pytest.raises(MissingDependencyError) as caught:
        order([plugin(CATALOG, "polaris", STORAGE)])
    error = caught.value
    assert "'polaris' of type catalog needs a plugin of type storage" in error.what
    assert error.where == "floe-catalog-polaris 1.2.3"
    assert error.why == "made_up:Plugin declares it"
    assert "plugins.storage" in error.remedy
    assert (error.needed, error.entry.name, error.exit_code) == (STORAGE, "polaris", ExitCode.MISSING)
    assert not isinstance(error, PluginNotFoundError)


def test_a_cycle_is_named_whole_and_always_the_same(plugin: Callable[..., Any]) -> None:
    chosen = [
        plugin(STORAGE, "s3", COMPUTE),
        plugin(CATALOG, "polaris", STORAGE),
        plugin(COMPUTE, "duckdb", CATALOG),
        plugin(RBAC, "k8s", CATALOG),
    ]
    for rotated in (chosen, chosen[2:] + chosen[:2]):
        with pytest.raises(CyclicDependencyError) as caught:
            order(rotated)
        assert caught.value.what == (
            "plugins depend on each other: catalog 'polaris' -> storage 's3' -> compute 'duckdb' -> catalog 'polaris'"
        )
        assert caught.value.where == "floe-catalog-polaris 1.2.3, floe-storage-s3 1.2.3, floe-compute-duckdb 1.2.3"


def test_a_plugin_that_needs_its_own_type_is_a_cycle(plugin: Callable[..., Any]) -> None:
    with pytest.raises(CyclicDependencyError, match="rbac 'k8s' -> rbac 'k8s'"):
        order([plugin(RBAC, "k8s", RBAC)])


def test_everything_that_is_wrong_is_told_at_once(plugin: Callable[..., Any]) -> None:
    chosen = [plugin(RBAC, "k8s", RBAC, STORAGE), plugin(CATALOG, "c", COMPUTE)]
    kinds = [type(one) for one in problems(chosen)]
    assert kinds == [MissingDependencyError, MissingDependencyError, CyclicDependencyError]


@pytest.mark.parametrize(
    "config",
    [Config(key=SecretRef(secret="db/key")), Config(parts={"a": [Inner(token=SecretRef(secret="db/key"))]})],  # noqa: S106 - a name
)
def test_a_configuration_that_refers_to_the_store_needs_it(
    plugin: Callable[..., Any], names: Names, config: Config
) -> None:
    asking = plugin(CATALOG, "c", config=config)
    with pytest.raises(MissingDependencyError, match="its configuration refers to secret:db/key"):
        order([asking])
    assert names(order([asking, plugin(SECRETS, "env")])) == ["secrets/env", "catalog/c"]


def test_other_references_need_no_store(plugin: Callable[..., Any]) -> None:
    assert needs(plugin(CATALOG, "c", config=Config(key=SecretRef(env="KEY")))) == {}

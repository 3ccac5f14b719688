"""What every compute plugin promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import (
    CatalogAddress,
    ComputePlugin,
    Lane,
    LaneNotSupportedError,
    PluginType,
    StorageAddress,
    TargetRequest,
)
from floe_core.testing.base import CANARY, PluginConformance
from floe_core.testing.expect import expect, secret_variables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

CATALOG = CatalogAddress(
    "{{ env_var('CATALOG_URL') }}", "warehouse", "someone", "{{ env_var('CATALOG_SECRET') }}", "PRINCIPAL_ROLE:ALL"
)
STORAGE = StorageAddress(
    "{{ env_var('STORE_URL') }}", "us-east-1", "{{ env_var('STORE_KEY') }}", "{{ env_var('STORE_SECRET') }}"
)
PRODUCTS = ("a", "some-product", "some-other-product", "x" * 63)


class ComputeConformance(PluginConformance):
    """Fixtures: `plugin`, which can build in all of its lanes."""

    plugin_type: ClassVar[PluginType] = PluginType.COMPUTE

    def test_every_lane_has_a_target(self, plugin: ComputePlugin[Any]) -> None:
        """Each lane it names gives plain JSON for its adapter, whatever the product is named."""
        expect(plugin.lanes and plugin.lanes <= set(Lane), "it builds in one lane at least, and in members of Lane")
        expect(plugin.adapter.startswith("dbt-"), "its adapter is the distribution of a dbt adapter")
        for request in _requests(plugin):
            target = plugin.dbt_target(request)
            expect(json.loads(json.dumps(target)) == target, "a target is plain JSON")
            adapter = f"dbt-{target.get('type')}".replace("_", "-")
            upon = adapter.startswith(f"{plugin.adapter}-")
            expect(adapter == plugin.adapter or upon, "its type is that of the adapter, or of one built upon it")

    def test_other_lanes_are_refused(self, plugin: ComputePlugin[Any]) -> None:
        """A lane that it does not name raises the error of its own, which says what to do."""
        for lane in set(Lane) - plugin.lanes:
            try:
                plugin.dbt_target(asked("some-product", lane))
            except LaneNotSupportedError as error:
                expect(error.remedy, f"the refusal of the lane {lane} says what to do")
            else:
                raise AssertionError(f"the lane {lane} raises LaneNotSupportedError")

    def test_the_catalog_needs_an_address(self, plugin: ComputePlugin[Any]) -> None:
        """A target of the Iceberg lane leads to the catalog and the store that it was told, by their references."""
        if Lane.ICEBERG not in plugin.lanes:
            return
        told = json.dumps(plugin.dbt_target(asked("some-product", Lane.ICEBERG)))
        for name in (CATALOG.uri, CATALOG.warehouse, CATALOG.client_secret, STORAGE.endpoint, STORAGE.secret_key):
            expect(name in told, f"{name} is in the target of the Iceberg lane")
        try:
            plugin.dbt_target(TargetRequest("some-product", Lane.ICEBERG))
        except LaneNotSupportedError as error:
            expect(error.remedy, "the refusal without a catalog says what to do")
        else:
            raise AssertionError("the Iceberg lane without a catalog raises LaneNotSupportedError")

    def test_a_target_is_the_same_twice(self, plugin: ComputePlugin[Any]) -> None:
        """Asked again, it gives an equal target of its own: a caller who changes one changes nothing else."""
        for request in _requests(plugin):
            first = plugin.dbt_target(request)
            kept = json.dumps(first)
            first["changed"] = True
            for value in first.values():
                if isinstance(value, dict):
                    value["changed"] = True
            expect(json.dumps(plugin.dbt_target(request)) == kept, "a target is the same twice, and nobody else's")

    def test_a_target_is_the_same_elsewhere(
        self, plugin: ComputePlugin[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No folder of this machine and no user gets into a target, so that artifacts are equal everywhere."""
        here = [plugin.dbt_target(request) for request in _requests(plugin)]
        monkeypatch.chdir(tmp_path)
        for variable in ("HOME", "USER", "TMPDIR", "HOSTNAME", "TZ"):
            monkeypatch.setenv(variable, str(tmp_path))
        there = [plugin.dbt_target(request) for request in _requests(plugin)]
        expect(here == there, "a target does not depend on the folder, the user or the machine")
        expect(str(tmp_path) not in json.dumps(there), "no absolute path of this machine is in a target")

    def test_products_and_lanes_do_not_meet(self, plugin: ComputePlugin[Any]) -> None:
        """Two products, or two lanes of one, build in places of their own; an engine in memory has none to share."""
        targets = [plugin.dbt_target(request) for request in _requests(plugin)]
        told = [json.dumps(target, sort_keys=True) for target in targets if ":memory:" not in target.values()]
        expect(len(told) == len(set(told)), "no two of product and lane have the same target")

    def test_a_target_holds_no_secret(self, plugin: ComputePlugin[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """A secret is dbt's `env_var`: a target is made, and made the same, whether it can be resolved or not."""
        named = secret_variables(plugin.config)
        for variable in named:
            monkeypatch.delenv(variable, raising=False)
        without = [plugin.dbt_target(request) for request in _requests(plugin)]
        for variable in named:
            monkeypatch.setenv(variable, CANARY)
        targets = [plugin.dbt_target(request) for request in _requests(plugin)]
        expect(targets == without, "a target does not depend on the value of a secret")
        expect(CANARY not in json.dumps(targets), "a target holds no secret")

    def test_names_that_mean_something_to_yaml_and_jinja_are_text(self, plugin: ComputePlugin[Any]) -> None:
        """A product that is named like a word of YAML gets a target like every other."""
        for name in ("null", "true", "yes", "e1", "n"):
            for lane in sorted(plugin.lanes):
                target = plugin.dbt_target(asked(name, lane))
                usual = plugin.dbt_target(asked("some-product", lane))
                expect(_shape(target) == _shape(usual), f"the target of a product named {name} has the usual fields")


def asked(product: str, lane: Lane) -> TargetRequest:
    """A request as compiling makes it: with the addresses where the lane needs them."""
    if lane is not Lane.ICEBERG:
        return TargetRequest(product, lane)
    return TargetRequest(product, lane, CATALOG, STORAGE)


def _requests(plugin: ComputePlugin[Any]) -> Iterator[TargetRequest]:
    return (asked(product, lane) for product in PRODUCTS for lane in sorted(plugin.lanes))


def _shape(target: dict[str, Any]) -> dict[str, str]:
    return {name: type(value).__name__ for name, value in target.items()}

"""The suite of compute plugins finds each breach of the contract, and nothing in a plugin that keeps it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from floe_core.plugins import ComputePlugin, Lane, LaneNotSupportedError, PluginConfig, TargetRequest
from floe_core.spec.secrets import SecretRef
from floe_core.testing import ComputeConformance

Failing = Callable[..., set[str]]


class Config(PluginConfig):
    password: SecretRef = SecretRef(env="ENGINE_PASSWORD")


class Sound(ComputePlugin[Config]):
    name, version, floe_api_version, description = "engine", "1.0.0", "1.0", "an engine"
    config_model: ClassVar[type[PluginConfig]] = Config
    adapter: ClassVar[str] = "dbt-engine"
    lanes: ClassVar[frozenset[Lane]] = frozenset({Lane.DUCKDB})

    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        if request.lane not in self.lanes:
            raise LaneNotSupportedError("not here", remedy="choose another lane")
        return {"type": "engine", "database": request.product, "password": "{{ env_var('ENGINE_PASSWORD') }}"}  # nosec B105 - a name


def with_target(change: Callable[[dict[str, Any], TargetRequest, Any], Any]) -> type[Sound]:
    class Changed(Sound):
        kept: ClassVar[dict[str, Any]] = {}

        def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
            answer: dict[str, Any] = change(super().dbt_target(request), request, self)
            return answer

    return Changed


class EveryLane(Sound):
    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        return {"type": "engine", "database": f"{request.product}-{request.lane}"}


class InCatalog(Sound):
    lanes: ClassVar[frozenset[Lane]] = frozenset(Lane)

    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        if request.lane is Lane.DUCKDB:
            return super().dbt_target(request)
        if request.catalog is None or request.storage is None:
            raise LaneNotSupportedError("no catalog", remedy="choose one")
        own = {"catalog": dict(vars(request.catalog)), "storage": dict(vars(request.storage)), "type": "engine_upon"}
        return {"database": request.namespace, **own}


class Unaddressed(InCatalog):
    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        return {"type": "engine", "database": f"{request.product}-{request.lane}"}


class NoLane(Sound):
    lanes: ClassVar[frozenset[Lane]] = frozenset()


@pytest.mark.parametrize("engine", [Sound, InCatalog])
def test_a_sound_engine_passes(failing: Failing, engine: type[Sound]) -> None:
    assert failing(ComputeConformance, engine(Config())) == set()


@pytest.mark.parametrize(
    ("engine", "found"),
    [
        (with_target(lambda target, *_: {**target, "type": "other"}), {"every_lane_has_a_target"}),
        (
            with_target(lambda target, *_: {**target, "path": Path("a")}),
            {"every_lane_has_a_target", "a_target_is_the_same_twice", "a_target_is_the_same_elsewhere"},
        ),
        (EveryLane, {"other_lanes_are_refused"}),
        (Unaddressed, {"the_catalog_needs_an_address"}),
        (NoLane, {"every_lane_has_a_target"}),
        (
            with_target(lambda target, _, own: own.kept.setdefault(target["database"], target)),
            {"a_target_is_the_same_twice"},
        ),
        (with_target(lambda target, *_: {**target, "cwd": os.getcwd()}), {"a_target_is_the_same_elsewhere"}),  # noqa: PTH109 - text
        (with_target(lambda target, *_: {**target, "database": "one"}), {"products_and_lanes_do_not_meet"}),
        (
            with_target(lambda target, *_: {**target, "password": os.environ.get("ENGINE_PASSWORD")}),
            {"a_target_holds_no_secret"},
        ),
        (
            with_target(lambda target, request, _: {**target, "database": request.product != "null" or None}),
            {"names_that_mean_something_to_yaml_and_jinja_are_text"},
        ),
    ],
)
def test_each_breach_is_found(failing: Failing, engine: type[Sound], found: set[str]) -> None:
    failed = failing(ComputeConformance, engine(Config()))
    assert found <= failed

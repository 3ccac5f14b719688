from __future__ import annotations

import importlib

import pytest
from floe_core import plugins
from floe_core.plugins import ABCS, HealthState, NoConfig, PluginConfig, PluginType, QualityPlugin
from floe_core.plugins.quality import QualityReport
from floe_core.spec.secrets import STORE_KEY, SecretRef, SecretUnavailableError
from pydantic import Field, SecretStr, ValidationError


@pytest.mark.requirement("WU6-AC1", "WU6-AC2")
def test_every_type_has_an_abc_of_its_own_module() -> None:
    assert (
        len(PluginType) == len(ABCS) == len(set(ABCS.values())) == len({kind.entry_point_group for kind in PluginType})
    )
    for kind in PluginType:
        assert ABCS[kind].plugin_type is kind
        assert ABCS[kind] in vars(importlib.import_module(f"floe_core.plugins.{kind.value}")).values()
        assert ABCS[kind].__name__ in plugins.__all__


@pytest.mark.requirement("WU6-AC3")
def test_the_alert_channel_is_one_class() -> None:
    from floe_core.plugins.alert_channel import AlertChannelPlugin

    assert plugins.AlertChannelPlugin is AlertChannelPlugin is ABCS[PluginType.ALERT_CHANNEL]


def test_the_groups_are_those_that_distributions_declare() -> None:
    groups = {kind.entry_point_group for kind in PluginType}
    assert {"floe.computes", "floe.catalogs", "floe.storage", "floe.dbt", "floe.telemetry_backends"} <= groups
    assert {"floe.orchestrators", "floe.alert_channels", "floe.secrets", "floe.rbac"} <= groups


class Inner(PluginConfig):
    key: SecretRef = SecretRef.model_validate({"secret": "inner"})  # nosec B105 - a name


class Outer(PluginConfig):
    key: SecretRef = SecretRef.model_validate({"secret": "outer"})  # nosec B105 - a name
    made: Inner = Field(default_factory=Inner)
    shared: Inner = Inner()


def test_a_default_reference_finds_the_store_of_its_own_compilation() -> None:
    one, two = (
        Outer.model_validate({}, context={STORE_KEY: lambda name, at=at: SecretStr(f"{name} of {at}")})
        for at in ("one", "two")
    )
    for config, at in ((one, "one"), (two, "two")):
        found = [ref.resolve().get_secret_value() for ref in (config.key, config.made.key, config.shared.key)]
        assert found == [f"{name} of {at}" for name in ("outer", "inner", "inner")]
    with pytest.raises(SecretUnavailableError):
        Outer().key.resolve()


@pytest.mark.parametrize("kind", PluginType)
def test_an_abc_cannot_be_made(kind: PluginType) -> None:
    with pytest.raises(TypeError, match="abstract"):
        ABCS[kind](NoConfig())


class Judge(QualityPlugin[NoConfig]):
    name, version, floe_api_version = "judge", "1.0.0", "1.0"

    def __init__(self, config: NoConfig) -> None:
        super().__init__(config)
        self.calls: list[str] = []

    def startup(self) -> None:
        self.calls.append("startup")

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def evaluate(self, result: object) -> QualityReport:
        raise NotImplementedError


def test_a_plugin_ends_also_when_its_use_fails() -> None:
    judge = Judge(NoConfig())
    with pytest.raises(ZeroDivisionError), judge:
        1 / 0  # noqa: B018 - the failure is the point
    assert judge.calls == ["startup", "shutdown"]


def test_a_plugin_without_a_service_is_healthy() -> None:
    assert Judge(NoConfig()).health_check(1.0).state is HealthState.HEALTHY


def test_a_configuration_takes_no_unknown_field_and_does_not_change() -> None:
    with pytest.raises(ValidationError):
        NoConfig.model_validate({"x": 1})

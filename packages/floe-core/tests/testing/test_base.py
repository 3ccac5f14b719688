"""The suite of every plugin fails where a plugin breaks the contract: one that passes all would prove nothing."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from floe_core import testing
from floe_core.errors import FloeError
from floe_core.plugins import HealthState, HealthStatus, PluginConfig, PluginType, QualityPlugin, QualityReport
from floe_core.registry import PluginEntry, Registry
from floe_core.spec.secrets import SecretRef, Setting
from floe_core.testing import PluginConformance, base
from floe_core.testing.expect import expect, references, refuses, secret_variables
from pydantic import ConfigDict, Field, SecretStr, field_validator

Failing = Callable[..., set[str]]
OVER = threading.Event()


class Suite(PluginConformance):
    plugin_type = PluginType.QUALITY


class Config(PluginConfig):
    key: SecretRef = SecretRef(env="JUDGE_KEY")


class Judge(QualityPlugin[Any]):
    name, version, floe_api_version, description = "judge", "1.0.0", "1.0", "judges"
    config_model: ClassVar[type[PluginConfig]] = Config

    def evaluate(self, result: object) -> QualityReport:
        raise NotImplementedError


class LooseConfig(PluginConfig):
    model_config = ConfigDict(extra="allow", frozen=False)


class Loose(Judge):
    config_model: ClassVar[type[PluginConfig]] = LooseConfig


class LiteralConfig(PluginConfig):
    key: SecretRef | SecretStr = Field(default=SecretRef(env="JUDGE_KEY"))


class Literal(Judge):
    config_model: ClassVar[type[PluginConfig]] = LiteralConfig


class QuotingConfig(Config):
    @field_validator("key", mode="before")
    @classmethod
    def _quoting(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError(f"{value} is no reference")  # noqa: TRY004 - as a careless author writes it
        return value


class Quoting(Judge):
    config_model: ClassVar[type[PluginConfig]] = QuotingConfig


class Nameless(Judge):
    name = "No Name"


class Versionless(Judge):
    version = "one"


class Speechless(Judge):
    description = ""


class Untraced(Judge):
    tracer_name: ClassVar[str | None] = "mine"


class Narcissus(Judge):
    dependencies: ClassVar[tuple[PluginType, ...]] = (PluginType.QUALITY,)


class Telling(Judge):
    def health_check(self, timeout_s: float) -> HealthStatus:
        key = self.config.key.resolve().get_secret_value()
        return HealthStatus(HealthState.HEALTHY, f"signed in with {key} in {timeout_s}")


class Raising(Judge):
    def health_check(self, timeout_s: float) -> HealthStatus:
        raise FloeError(f"no answer in {timeout_s}")


class Asking(Judge):
    def health_check(self, timeout_s: float) -> HealthStatus:
        self.config.key.resolve()
        return super().health_check(timeout_s)


class Hanging(Judge):
    def health_check(self, timeout_s: float) -> HealthStatus:
        OVER.wait(30)
        return super().health_check(timeout_s)


class Vague(Judge):
    def health_check(self, timeout_s: float) -> HealthStatus:
        del timeout_s
        return HealthStatus(HealthState.UNHEALTHY)


class Yes(Judge):
    def health_check(self, timeout_s: float) -> Any:
        return timeout_s > 0


SHARED: list[str] = []


class Sharing(Judge):
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.seen = SHARED


class Fragile(Judge):
    opened = False

    def startup(self) -> None:
        self.opened = True

    def shutdown(self) -> None:
        if not self.opened:
            raise OSError("not open")
        self.opened = False


HELD = (
    "its_metadata_are_whole",
    "its_configuration_is_strict",
    "its_configuration_survives_json",
    "a_literal_secret_is_refused_and_not_shown",
    "a_secret_is_shown_nowhere",
    "instances_share_nothing",
    "its_health_answers_in_time",
    "its_health_answers_without_secrets",
    "its_life_ends_twice",
    "it_implements_the_abc",
)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Judge, set()),
        (Loose, {"its_configuration_is_strict"}),
        (Literal, {"a_literal_secret_is_refused_and_not_shown"}),
        (Quoting, {"a_literal_secret_is_refused_and_not_shown"}),
        (Nameless, {"its_metadata_are_whole"}),
        (Versionless, {"its_metadata_are_whole"}),
        (Speechless, {"its_metadata_are_whole"}),
        (Untraced, {"its_metadata_are_whole"}),
        (Narcissus, {"its_metadata_are_whole"}),
        (Telling, {"a_secret_is_shown_nowhere", "its_health_answers_without_secrets"}),
        (Raising, {"its_health_answers_in_time", "its_health_answers_without_secrets"}),
        (Asking, {"its_health_answers_without_secrets"}),
        (Hanging, {"its_health_answers_in_time"}),
        (Vague, {"its_health_answers_in_time"}),
        (Yes, {"its_health_answers_in_time"}),
        (Sharing, {"instances_share_nothing"}),
        (Fragile, {"its_life_ends_twice"}),
    ],
)
def test_each_breach_is_found(
    failing: Failing, kind: type[Judge], found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "HEALTH_S", 0.1)
    monkeypatch.setattr(base, "HEALTH_SLACK_S", 0.1)
    monkeypatch.setenv("JUDGE_KEY", "correct horse")
    failed = failing(Suite, kind(kind.config_model()), *HELD)
    assert found <= failed
    assert bool(found) == bool(failed), failed


def test_a_plugin_of_another_type_does_not_pass() -> None:
    not_one: Any = object()
    with pytest.raises(AssertionError, match="subclasses QualityPlugin"):
        Suite().test_it_implements_the_abc(not_one)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import asyncio", "asyncio"),
        ("import urllib.request", "http.client, ssl, urllib.request"),
        ("import yaml.nodes, wsgiref, http.client", "http.client"),
        ("import pytest", "pytest"),
        ("raise ValueError('x')", "(?s)can be imported alone: .*ValueError: x"),
    ],
)
def test_a_heavy_module_is_found(
    plugin_module: Callable[..., PluginEntry], monkeypatch: pytest.MonkeyPatch, source: str, told: str
) -> None:
    entry = plugin_module(PluginType.QUALITY, "judge", source)
    monkeypatch.setattr(base, "Registry", lambda: Registry([entry]))
    monkeypatch.setenv("PYTHONPATH", sys.path[0])  # where plugin_module writes
    with pytest.raises(AssertionError, match=told):
        Suite().test_its_module_is_light(Judge(Config()))


def test_expectations_speak() -> None:
    expect(condition=True, contract="holds")
    with pytest.raises(AssertionError, match="it must hold"):
        expect(condition=False, contract="it must hold")
    with pytest.raises(AssertionError, match="it must be refused"), refuses(ValueError, "it must be refused"):
        pass


def test_references_are_found_at_any_depth_and_told_from_settings() -> None:
    class Inner(PluginConfig):
        key: SecretRef

    class Outer(PluginConfig):
        place: Setting
        inner: dict[str, list[Inner]]
        maybe: SecretRef | None = None

    config = Outer(place=SecretRef(env="A"), inner={"x": [Inner(key=SecretRef(env="B"))]})
    assert [str(one) for one in references(config)] == ["env:A", "env:B"]
    assert secret_variables(config) == ("B",)


DEPENDENCIES = {"click", "opentelemetry", "pydantic", "rich", "structlog", "yaml"}
DEPENDENCIES |= {"annotated_types", "pydantic_core", "typing_extensions", "typing_inspection"}  # pydantic's own
IMPORTED = """
import sys
before = set(sys.modules)
import floe_core.testing
found = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(*(name for name in found if name[0] != "_" and sys.modules[name].__spec__))
"""


def test_the_suites_need_no_more_than_floe_core_has() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) - DEPENDENCIES == {"floe_core"}


@pytest.mark.parametrize("name", testing.__all__)
def test_a_suite_names_every_fixture_that_it_asks_for(name: str) -> None:
    suite = getattr(testing, name)
    tests = [method for word, method in inspect.getmembers(suite, inspect.isfunction) if word.startswith("test_")]
    asked = {word for method in tests for word in inspect.signature(method).parameters}
    own = asked - {"self", "tmp_path", "monkeypatch"}
    assert "plugin" in own
    assert {word for word in own if f"`{word}`" not in (suite.__doc__ or "")} == set()

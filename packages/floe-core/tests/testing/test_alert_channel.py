"""The suite of alert channels fails for each promise that is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from floe_core.plugins import (
    Alert,
    AlertChannelPlugin,
    AlertDeliveryError,
    HealthState,
    HealthStatus,
    NoConfig,
    PluginConfig,
)
from floe_core.testing import AlertChannelConformance

SECRET = "planted-value"  # noqa: S105 - planted
SUITE = AlertChannelConformance()


class Memory(AlertChannelPlugin[NoConfig]):
    """A channel that keeps its promises."""

    name, version, floe_api_version = "memory", "1.0.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = NoConfig
    refusing = False

    def __init__(self) -> None:
        super().__init__(NoConfig())
        self.messages: list[str] = []

    def send(self, alert: Alert) -> None:
        if self.refusing:
            raise AlertDeliveryError("not accepted", why="HTTP 503", remedy="wait")
        self.messages.append(self.text(alert))

    def text(self, alert: Alert) -> str:
        return f"{alert.severity} {alert.title} {alert.product} {alert.details} {alert.labels} {alert.resolved_at}"

    def health_check(self, timeout_s: float) -> HealthStatus:
        return HealthStatus(HealthState.HEALTHY, f"asked for {timeout_s:g} s")


class Terse(Memory):
    def text(self, alert: Alert) -> str:
        return alert.title


class Flat(Memory):
    def text(self, alert: Alert) -> str:
        return super().text(alert).replace(alert.severity.value, "critical")


class Eternal(Memory):
    def text(self, alert: Alert) -> str:
        return f"{alert.severity} {alert.title} {alert.details}"


class Fragile(Memory):
    def text(self, alert: Alert) -> str:
        return super().text(alert).encode("ascii").decode()


class Narrow(Memory):
    def send(self, alert: Alert) -> None:
        if len(alert.details) <= 100:
            super().send(alert)


class Silent(Memory):
    def send(self, alert: Alert) -> None:
        if not self.refusing:
            super().send(alert)


class Talkative(Memory):
    def send(self, alert: Alert) -> None:
        raise AlertDeliveryError("not accepted", why=f"posted {alert.title} to {SECRET}", remedy="wait")


class Mute(Memory):
    def send(self, alert: Alert) -> None:
        raise AlertDeliveryError(f"{alert.title} was not accepted")


class Nagging(Memory):
    def health_check(self, timeout_s: float) -> HealthStatus:
        self.messages.append("still there?")
        return HealthStatus(HealthState.HEALTHY, f"asked for {timeout_s:g} s")


class Pessimist(Memory):
    def health_check(self, timeout_s: float) -> HealthStatus:
        return HealthStatus(HealthState.UNHEALTHY, f"asked for {timeout_s:g} s")


class Shown(Memory):
    def __repr__(self) -> str:
        return SECRET


def call(name: str, plugin: Memory) -> None:
    given: dict[str, Callable[[], Any]] = {
        "plugin": lambda: plugin,
        "received": lambda: lambda: plugin.messages,
        "failing": lambda: _refusing(type(plugin)),
        "secret": lambda: SECRET,
    }
    test = getattr(SUITE, name)
    names = test.__func__.__code__.co_varnames[1 : test.__func__.__code__.co_argcount]
    test(*(given[one]() for one in names))


def _refusing(kind: type[Memory]) -> Memory:
    plugin = kind()
    plugin.refusing = True
    return plugin


OWN = [name for name in vars(AlertChannelConformance) if name.startswith("test_")]


@pytest.mark.parametrize("name", OWN)
def test_a_good_channel_passes(name: str) -> None:
    call(name, Memory())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("test_people_are_told", Terse),
        ("test_every_severity_is_told_apart", Flat),
        ("test_the_end_is_told", Eternal),
        ("test_any_text_is_sent", Fragile),
        ("test_many_details_are_sent", Narrow),
        ("test_refusal_is_told", Silent),
        ("test_refusal_is_told", Talkative),
        ("test_refusal_is_told", Mute),
        ("test_health_sends_nothing", Nagging),
        ("test_health_sends_nothing", Pessimist),
        ("test_secrets_are_not_shown", Shown),
    ],
)
def test_a_broken_promise_fails(name: str, kind: type[Memory]) -> None:
    with pytest.raises((AssertionError, UnicodeError)):
        call(name, kind())


def test_every_promise_is_broken_once() -> None:
    marks = [mark for mark in test_a_broken_promise_fails.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined] # pytest adds it
    assert {name for name, _ in marks[0].args[1]} == set(OWN)

"""The suite of alert channels fails for each promise that is broken."""

from __future__ import annotations

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


def _refusing(kind: type[Memory]) -> Memory:
    plugin = kind()
    plugin.refusing = True
    return plugin


BROKEN = [
    ("people_are_told", Terse),
    ("every_severity_is_told_apart", Flat),
    ("the_end_is_told", Eternal),
    ("any_text_is_sent", Fragile),
    ("many_details_are_sent", Narrow),
    ("refusal_is_told", Silent),
    ("refusal_is_told", Talkative),
    ("refusal_is_told", Mute),
    ("health_sends_nothing", Nagging),
    ("health_sends_nothing", Pessimist),
    ("secrets_are_not_shown", Shown),
]
OWN = {name.removeprefix("test_") for name in vars(AlertChannelConformance) if name.startswith("test_")}


def broken(failing: Any, plugin: Memory, promise: str) -> bool:
    """Whether the suite finds that promise broken."""
    found: set[str] = failing(
        AlertChannelConformance,
        plugin,
        promise,
        received=lambda: plugin.messages,
        failing=_refusing(type(plugin)),
        secret=SECRET,
    )
    return bool(found)


@pytest.mark.parametrize("promise", sorted(OWN))
def test_one_that_keeps_its_promises_passes(failing: Any, promise: str) -> None:
    assert not broken(failing, Memory(), promise)


@pytest.mark.parametrize(("promise", "kind"), BROKEN)
def test_a_broken_promise_is_found(failing: Any, promise: str, kind: type[Memory]) -> None:
    assert broken(failing, kind(), promise)


def test_every_promise_is_broken_once() -> None:
    assert {promise for promise, _ in BROKEN} == OWN

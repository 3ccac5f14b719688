"""The suite of lineage back ends fails for each promise that is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest
from floe_core.plugins import HealthState, HealthStatus, LineageBackendPlugin, LineageError, NoConfig, PluginConfig
from floe_core.testing import LineageBackendConformance

SECRET = "planted-value"  # noqa: S105 - planted
SUITE = LineageBackendConformance()


class Memory(LineageBackendPlugin[NoConfig]):
    """A back end that keeps its promises."""

    name, version, floe_api_version = "memory", "1.0.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = NoConfig
    dead = False

    def __init__(self) -> None:
        super().__init__(NoConfig())
        self.events: list[Any] = []

    def emit(self, event: Mapping[str, Any]) -> None:
        if self.dead:
            raise LineageError("gone", why="nobody", remedy="wait")
        kinds = {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
        whole = {"run", "job", "eventTime", "inputs"} <= set(event) and isinstance(event["inputs"], list)
        if not whole or len(event["run"]["runId"]) != 36 or event["eventType"] not in kinds:
            raise LineageError("wrong", why="incomplete", remedy="correct it")
        self.events.append(copy.deepcopy(event))

    def health_check(self, timeout_s: float) -> HealthStatus:
        return HealthStatus(HealthState.UNHEALTHY if self.dead else HealthState.HEALTHY, f"in {timeout_s:g} s")


class Late(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        """Keeps events for later."""


class Changing(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        super().emit(event)
        event["job"]["name"] = "changed"


class Backwards(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        super().emit(event)
        self.events.reverse()


class Picky(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        if event.get("eventType") == "RUNNING":
            raise LineageError("not that one", why="no", remedy="none")
        super().emit(event)


class Credulous(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)


class Sulking(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        self.dead = self.dead or not event
        super().emit(event)


class Silent(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        if not self.dead:
            super().emit(event)


class Talkative(Memory):
    def emit(self, event: Mapping[str, Any]) -> None:
        if self.dead:
            raise LineageError(f"gone with {SECRET}")
        super().emit(event)


class Optimist(Memory):
    def health_check(self, timeout_s: float) -> HealthStatus:
        return HealthStatus(HealthState.HEALTHY, f"in {timeout_s:g} s")


class Pessimist(Memory):
    def health_check(self, timeout_s: float) -> HealthStatus:
        return HealthStatus(HealthState.UNHEALTHY, f"in {timeout_s:g} s")


class Shown(Memory):
    def __repr__(self) -> str:
        return SECRET


def call(name: str, plugin: Memory) -> None:
    given: dict[str, Callable[[], Any]] = {
        "plugin": lambda: plugin,
        "delivered": lambda: lambda: plugin.events,
        "unreachable": lambda: _dead(type(plugin)),
        "secret": lambda: SECRET,
    }
    test = getattr(SUITE, name)
    names = test.__func__.__code__.co_varnames[1 : test.__func__.__code__.co_argcount]
    test(*(given[one]() for one in names))


def _dead(kind: type[Memory]) -> Memory:
    plugin = kind()
    plugin.dead = True
    return plugin


OWN = [name for name in vars(LineageBackendConformance) if name.startswith("test_")]


@pytest.mark.parametrize("name", OWN)
def test_a_good_back_end_passes(name: str) -> None:
    call(name, Memory())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("test_an_event_arrives_whole", Late),
        ("test_order_is_kept", Backwards),
        ("test_every_state_is_taken", Picky),
        ("test_the_event_stays_as_it_was", Changing),
        ("test_a_wrong_event_is_refused", Credulous),
        ("test_it_works_after_a_refusal", Sulking),
        ("test_silence_is_told", Silent),
        ("test_silence_is_told", Talkative),
        ("test_silence_is_told", Optimist),
        ("test_it_is_healthy_where_events_arrive", Pessimist),
        ("test_secrets_are_not_shown", Shown),
    ],
)
def test_a_broken_promise_fails(name: str, kind: type[Memory]) -> None:
    with pytest.raises((AssertionError, LineageError)):
        call(name, kind())


def test_every_promise_is_broken_once() -> None:
    marks = [mark for mark in test_a_broken_promise_fails.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined] # pytest adds it
    assert {name for name, _ in marks[0].args[1]} == set(OWN)

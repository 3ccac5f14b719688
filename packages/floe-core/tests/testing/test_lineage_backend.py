"""The suite of lineage back ends fails for each promise that is broken."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from floe_core.plugins import HealthState, HealthStatus, LineageBackendPlugin, LineageError, NoConfig, PluginConfig
from floe_core.testing import LineageBackendConformance

SECRET = "planted-value"  # noqa: S105 - planted


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


def _dead(kind: type[Memory]) -> Memory:
    plugin = kind()
    plugin.dead = True
    return plugin


BROKEN = [
    ("an_event_arrives_whole", Late),
    ("order_is_kept", Backwards),
    ("every_state_is_taken", Picky),
    ("the_event_stays_as_it_was", Changing),
    ("a_wrong_event_is_refused", Credulous),
    ("it_works_after_a_refusal", Sulking),
    ("silence_is_told", Silent),
    ("silence_is_told", Talkative),
    ("silence_is_told", Optimist),
    ("it_is_healthy_where_events_arrive", Pessimist),
    ("secrets_are_not_shown", Shown),
]
OWN = {name.removeprefix("test_") for name in vars(LineageBackendConformance) if name.startswith("test_")}


def broken(failing: Any, plugin: Memory, promise: str) -> bool:
    """Whether the suite finds that promise broken."""
    found: set[str] = failing(
        LineageBackendConformance,
        plugin,
        promise,
        delivered=lambda: plugin.events,
        unreachable=_dead(type(plugin)),
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

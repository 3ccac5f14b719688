"""Calls plugins' hooks so that none can hold up the process: each in a thread that is waited for up to its limit.

The threads are daemons of our own. An executor would join its threads when it is closed and once more when the
process ends, so a hook that hangs would hold up both.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
import traceback
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError
from floe_core.plugins.interface import HealthState, HealthStatus
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_core.registry.declarations import PluginEntry
    from floe_core.registry.dependencies import PluginKey


class Hook(StrEnum):
    """What a plugin was asked to do."""

    STARTUP = "startup"
    HEALTH = "health_check"
    SHUTDOWN = "shutdown"


class Answer(StrEnum):
    """What came of it."""

    OK = "ok"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    NOT_CALLED = "not_called"


@dataclass(frozen=True)
class Outcome:
    """What one hook of one plugin did.

    Attributes:
        entry: The plugin's declaration.
        hook: What was called.
        answer: What came of it.
        why: The reason where it is not OK; never the words of a foreign exception, which may quote a secret.
        limit_s: How many seconds it had.
        took_s: How many seconds it took, or was waited for.
        health: What a health check answered; None for other hooks and where no answer came.
    """

    entry: PluginEntry
    hook: Hook
    answer: Answer
    why: str = ""
    limit_s: float = 0.0
    took_s: float = 0.0
    health: HealthStatus | None = None

    @property
    def ok(self) -> bool:
        """Whether the hook did its work and the plugin's service, where it was asked about, can be used."""
        return self.answer is Answer.OK and (self.health is None or self.health.state is not HealthState.UNHEALTHY)

    def __str__(self) -> str:
        said = self.why or (self.health.message if self.health is not None else "")
        state = self.health.state if self.health is not None else self.answer.replace("_", " ")
        return f"{self.entry}: {self.hook} {state}" + (f": {said}" if said else "")


@dataclass(frozen=True)
class Report:
    """What one hook did, plugin by plugin, in the order in which they ended."""

    outcomes: tuple[Outcome, ...] = ()

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Those that are not ok."""
        return tuple(one for one in self.outcomes if not one.ok)

    @property
    def ok(self) -> bool:
        """Whether all are."""
        return not self.failures


@dataclass
class _Call:
    entry: PluginEntry
    hook: Hook
    limit_s: float
    grace_s: float
    began: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float:
        return self.began + self.limit_s + self.grace_s

    def outcome(self, answer: Answer, why: str = "", health: HealthStatus | None = None) -> Outcome:
        took = time.monotonic() - self.began
        return Outcome(self.entry, self.hook, answer, why, self.limit_s, took, health)


class Calls:
    """Hooks that are under way, one a plugin.

    Args:
        grace_s: Seconds that a hook gets beyond its limit, for one that keeps the limit itself.
    """

    def __init__(self, grace_s: float = 0.0) -> None:
        self._grace_s = grace_s
        self._open: dict[PluginKey, _Call] = {}
        self._ended: queue.SimpleQueue[tuple[_Call, Outcome]] = queue.SimpleQueue()

    def __bool__(self) -> bool:
        return bool(self._open)

    def launch(self, entry: PluginEntry, hook: Hook, limit_s: float, body: Callable[[], Any]) -> None:
        """Call `body` in a thread of its own, below the current span."""
        call = _Call(entry, hook, limit_s, self._grace_s)
        self._open[entry.key] = call
        context = contextvars.copy_context()

        def work() -> None:
            self._ended.put((call, context.run(_traced, call, body)))

        threading.Thread(target=work, name=f"floe {hook} {entry.type} {entry.name}", daemon=True).start()

    def next(self) -> Outcome:
        """Wait for the next hook to end or to reach its limit; answers of those given up are not told again."""
        while True:
            first = min(self._open.values(), key=lambda call: call.deadline)
            try:
                call, outcome = self._ended.get(timeout=max(0.0, first.deadline - time.monotonic()))
            except queue.Empty:
                del self._open[first.entry.key]
                return first.outcome(Answer.NO_ANSWER, f"it did not answer within {first.limit_s:g} s")
            if self._open.get(call.entry.key) is call:
                del self._open[call.entry.key]
                return outcome

    def rest(self) -> tuple[Outcome, ...]:
        """Wait for all that are under way."""
        found: list[Outcome] = []
        while self:
            found.append(self.next())
        return tuple(found)


def _traced(call: _Call, body: Callable[[], Any]) -> Outcome:
    """One hook in its span, whatever it raises."""
    attributes = {"floe.plugin.type": call.entry.type.value, "floe.plugin.name": call.entry.name}
    with span(f"plugin.{call.hook}", **attributes) as current:
        outcome = _outcome(call, body)
        current.set_attribute("floe.plugin.answer", outcome.answer.value)
        if not outcome.ok:
            from opentelemetry.trace import Status, StatusCode

            current.set_status(Status(StatusCode.ERROR, outcome.why))
        return outcome


def _outcome(call: _Call, body: Callable[[], Any]) -> Outcome:
    try:
        answer = body()
    except FloeError as error:
        return call.outcome(
            Answer.FAILED, f"{type(error).__name__}: {error.what}" + (f", {error.why}" * bool(error.why))
        )
    except BaseException as error:  # noqa: BLE001 - a hook is foreign code; in its own thread even SystemExit is its own
        return call.outcome(Answer.FAILED, f"{type(error).__name__}{_place(error)}")
    if call.hook is not Hook.HEALTH:
        return call.outcome(Answer.OK)
    if not isinstance(answer, HealthStatus):
        return call.outcome(Answer.FAILED, f"health_check gives {type(answer).__name__}, and not a HealthStatus")
    return call.outcome(Answer.OK, health=answer)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" in {frames[-1].name} ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""

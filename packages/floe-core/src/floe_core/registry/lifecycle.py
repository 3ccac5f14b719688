"""The life of the plugins of one compilation or run: started in order, asked for their health, stopped in reverse.

Nothing here is shared: a lifecycle holds the instances that it was given, and two of them know nothing of each other.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Self

from floe_core.errors import ExitCode, FloeError
from floe_core.registry.dependencies import graph
from floe_core.registry.errors import DuplicatePluginError, PluginNotFoundError
from floe_core.registry.hooks import Answer, Calls, Hook, Outcome, Report
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from floe_core.plugins.interface import HealthStatus, PluginMetadata, PluginType
    from floe_core.registry.dependencies import Graph, PluginKey
    from floe_core.registry.registry import ResolvedPlugin

HEALTH_GRACE_S = 1.0
"""A health check keeps its limit itself; this is for importing the client and for the answer to arrive."""


@dataclass(frozen=True)
class Limits:
    """Seconds that one hook of one plugin has."""

    startup_s: float = 30.0
    shutdown_s: float = 10.0
    health_s: float = 5.0


class LifecycleError(FloeError):
    """The plugins cannot be started; `report` says what each one did."""

    exit_code = ExitCode.WRONG

    def __init__(self, report: Report) -> None:
        failed = [one for one in report.failures if one.answer is not Answer.NOT_CALLED]
        late = all(one.answer is Answer.NO_ANSWER for one in failed)
        super().__init__(
            f"{len(failed)} of {len(report.outcomes)} plugins did not start",
            where=", ".join(f"plugins.{one.entry.type}" for one in failed),
            why="\n         ".join(str(one) for one in report.failures),
            remedy="see that the services they need are running, or correct their configuration",
            exit_code=ExitCode.TIMEOUT if late else ExitCode.WRONG,
        )
        self.report = report


class Lifecycle:
    """The instances of one compilation or run, for one life; a context manager.

    Entering starts all and raises when one does not start; leaving stops what was started. A hook that hangs costs its
    limit and no more: its thread is left behind, and does not keep the process from ending.

    Args:
        plugins: The instances, one for each (type, name).
        limits: How long hooks may take.

    Raises:
        DuplicatePluginError: A plugin is there twice.
        MissingDependencyError: A plugin needs a type of which none is there.
        CyclicDependencyError: Plugins wait for each other.
    """

    def __init__(self, plugins: Iterable[ResolvedPlugin], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._plugins = _by_key(plugins)
        self._graph = graph(self._plugins.values())
        self._lock = threading.Lock()
        # Guarded by the lock: the threads of the hooks write them.
        self._starting: set[PluginKey] = set()
        self._started: list[PluginKey] = []
        self._asked: dict[PluginKey, float] = {}
        self._over = False
        self._used = False

    def instance(self, kind: PluginType, name: str | None = None) -> PluginMetadata[Any]:
        """The plugin of a type; `name` tells which where there are more.

        Raises:
            PluginNotFoundError: There is none, or more than one and no name.
        """
        found = [one for key, one in self._plugins.items() if key[0] is kind and name in {None, key[1]}]
        if len(found) != 1:
            raise PluginNotFoundError(
                f"{'several plugins' if found else 'no plugin'} of type {kind} {'are' if found else 'is'} chosen",
                where=f"plugins.{kind}",
                why=f"chosen: {', '.join(f'{key[0]} {key[1]!r}' for key in self._plugins) or 'nothing'}",
                remedy="say its name" if found else f"choose one under plugins.{kind}",
            )
        return found[0].instance

    @property
    def started(self) -> tuple[PluginKey, ...]:
        """What has really started and is not stopped, in the order in which it started."""
        with self._lock:
            return tuple(self._started)

    def start(self) -> Report:
        """Start each plugin as soon as those that it needs have started; the others side by side.

        A plugin that fails or does not answer is told in the report, and so are those that needed it: they are not
        called. At worst this takes the limit once for each step of the longest chain of dependencies.

        Raises:
            RuntimeError: The lifecycle was started before; make another one.
        """
        if self._used:
            raise RuntimeError("a lifecycle is for one life: make another one")
        self._used = True
        with span("plugins.startup"):
            return self._start_all()

    def _start_all(self) -> Report:
        outcomes: dict[PluginKey, Outcome] = {}

        def begin(key: PluginKey, calls: Calls) -> None:
            if without := [need for need in self._graph[key] if not outcomes[need].ok]:
                outcomes[key] = self._not_started(key, without)
            else:
                self._launch_start(key, calls)

        _walk(self._graph, begin, outcomes)
        return Report(tuple(outcomes.values()))

    def _not_started(self, key: PluginKey, without: list[PluginKey]) -> Outcome:
        names = ", ".join(f"{kind} {name!r}" for kind, name in without)
        return Outcome(self._plugins[key].entry, Hook.STARTUP, Answer.NOT_CALLED, f"it needs {names}")

    def _launch_start(self, key: PluginKey, calls: Calls) -> None:
        plugin = self._plugins[key]

        def body() -> None:
            try:
                plugin.instance.startup()
            except BaseException:
                with self._lock:
                    self._starting.discard(key)
                raise
            with self._lock:
                self._starting.discard(key)
                late = self._over
                if not late:
                    self._started.append(key)
            # It came up after everybody had gone: nobody else would close what it opened.
            if late:
                plugin.instance.shutdown()

        with self._lock:
            self._starting.add(key)
        calls.launch(plugin.entry, Hook.STARTUP, self._limits.startup_s, body)

    def health(self, timeout_s: float | None = None) -> Report:
        """Ask every plugin at once, started or not; takes `timeout_s` and a second at most.

        Args:
            timeout_s: Seconds that each check has; the limit of this lifecycle by default.
        """
        limit = self._limits.health_s if timeout_s is None else timeout_s
        calls, hanging = Calls(HEALTH_GRACE_S), tuple[Outcome, ...]()
        with span("plugins.health"):
            for key, plugin in self._plugins.items():
                if (since := self._claim(key)) is None:
                    calls.launch(plugin.entry, Hook.HEALTH, limit, functools.partial(self._ask, key, limit))
                else:
                    why = f"the check of {since:.0f} s ago has not ended"
                    hanging += (Outcome(plugin.entry, Hook.HEALTH, Answer.NO_ANSWER, why, limit),)
            return Report((*hanging, *calls.rest()))

    def _claim(self, key: PluginKey) -> float | None:
        """Note that a plugin is asked now, or say how many seconds ago it was asked and has not answered.

        Asking again would leave one more thread behind at each round.
        """
        with self._lock:
            if key in self._asked:
                return time.monotonic() - self._asked[key]
            self._asked[key] = time.monotonic()
            return None

    def _ask(self, key: PluginKey, limit_s: float) -> HealthStatus:
        try:
            return self._plugins[key].instance.health_check(limit_s)
        finally:
            with self._lock:
                del self._asked[key]

    def stop(self) -> Report:
        """Stop what was really started, each as soon as those that need it have stopped; the others side by side.

        A second call does what the first left over. A plugin whose `startup` has not ended is left alone, and closes
        itself when it comes up after all. At worst this takes the limit once for each step of the longest chain.
        """
        outcomes: dict[PluginKey, Outcome] = {}
        with span("plugins.shutdown"):
            with self._lock:
                self._over = True
                started = tuple(self._started)
            _walk(self._needed_by(started), self._launch_stop, outcomes)
        with self._lock:
            never = sorted(self._starting)
        why = "its startup has not ended"
        late = (Outcome(self._plugins[key].entry, Hook.SHUTDOWN, Answer.NOT_CALLED, why) for key in never)
        return Report((*outcomes.values(), *late))

    def _needed_by(self, keys: tuple[PluginKey, ...]) -> Graph:
        return {key: tuple(other for other in keys if key in self._graph[other]) for key in keys}

    def _launch_stop(self, key: PluginKey, calls: Calls) -> None:
        with self._lock:
            self._started.remove(key)
        plugin = self._plugins[key]
        calls.launch(plugin.entry, Hook.SHUTDOWN, self._limits.shutdown_s, plugin.instance.shutdown)

    def __enter__(self) -> Self:
        try:
            report = self.start()
        except BaseException:  # an interrupt, too, leaves nothing open
            self._stop_and_tell()
            raise
        if not report.ok:
            self._stop_and_tell()
            raise LifecycleError(report)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_and_tell()

    def _stop_and_tell(self) -> None:
        """The work is done or has its own error, so a plugin that does not stop is told and changes nothing."""
        for outcome in self.stop().failures:
            logging.getLogger("floe.plugins").warning("%s", outcome)


def _walk(waits_for: Graph, begin: Callable[[PluginKey, Calls], None], outcomes: dict[PluginKey, Outcome]) -> None:
    """Begin each plugin when all that it waits for have ended; `begin` launches a call, or notes why there is none."""
    sorter, calls = TopologicalSorter(waits_for), Calls()
    sorter.prepare()
    while sorter.is_active():
        for key in sorted(sorter.get_ready()):
            begin(key, calls)
            if key in outcomes:
                sorter.done(key)
        if calls:
            outcome = calls.next()
            outcomes[outcome.entry.key] = outcome
            sorter.done(outcome.entry.key)


def _by_key(plugins: Iterable[ResolvedPlugin]) -> dict[PluginKey, ResolvedPlugin]:
    found: dict[PluginKey, ResolvedPlugin] = {}
    for plugin in sorted(plugins, key=lambda one: one.entry):
        if plugin.entry.key in found:
            raise DuplicatePluginError(
                f"the plugin {plugin.entry.name!r} of type {plugin.entry.type} is there twice",
                where=plugin.entry.distribution,
                why="hooks and health are told by type and name",
                remedy="give each lifecycle one instance of a plugin",
            )
        found[plugin.entry.key] = plugin
    return found

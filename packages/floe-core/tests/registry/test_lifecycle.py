from __future__ import annotations

import logging
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import ExitCode, FloeError
from floe_core.plugins import HealthState, HealthStatus, PluginType
from floe_core.registry import DuplicatePluginError, PluginNotFoundError, ResolvedPlugin, lifecycle
from floe_core.registry.errors import CyclicDependencyError
from floe_core.registry.hooks import Answer, Hook
from floe_core.registry.lifecycle import Lifecycle, LifecycleError, Limits
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

Make = Callable[..., ResolvedPlugin]
CATALOG, STORAGE, COMPUTE, RBAC = PluginType.CATALOG, PluginType.STORAGE, PluginType.COMPUTE, PluginType.RBAC
SECRETS = PluginType.SECRETS
SOON = Limits(startup_s=0.2, shutdown_s=0.2, health_s=0.2)
LONG_S, BOUND_S = 30.0, 10.0


@pytest.fixture
def forever() -> Any:
    """A hook that hangs until the test is over."""
    over = threading.Event()
    yield lambda *_: over.wait(LONG_S)
    over.set()


def fails(error: BaseException) -> Callable[..., None]:
    def hook(*_: object) -> None:
        raise error

    return hook


KINDS = st.sampled_from(list(PluginType)[:7])


@settings(max_examples=60, deadline=None)
@given(graph=st.dictionaries(KINDS, st.sets(KINDS, max_size=3), min_size=1))
def test_whatever_the_graph_needs_start_first_and_stop_last(
    plugin: Make, graph: dict[PluginType, set[PluginType]]
) -> None:
    graph = {kind: needs & set(graph) for kind, needs in graph.items()}
    events: list[tuple[str, PluginType]] = []
    plugins = [
        plugin(
            kind,
            "k8s",
            *sorted(needs),
            startup=lambda kind=kind: events.append(("up", kind)),
            shutdown=lambda kind=kind: events.append(("down", kind)),
        )
        for kind, needs in graph.items()
    ]
    try:
        life = Lifecycle(plugins)
    except CyclicDependencyError as error:
        cycle = [one.type for one in error.cycle]
        assert len(set(cycle)) == len(cycle)
        assert all(after in graph[kind] for kind, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        return
    with life:
        assert {kind for kind, _ in life.started} == set(graph)
    ups, downs = ([kind for word, kind in events if word == which] for which in ("up", "down"))
    assert events == [("up", kind) for kind in ups] + [("down", kind) for kind in downs]
    assert sorted(ups) == sorted(downs) == sorted(graph)
    assert all(ups.index(need) < ups.index(kind) for kind, needs in graph.items() for need in needs)
    assert all(downs.index(need) > downs.index(kind) for kind, needs in graph.items() for need in needs)


def test_plugins_that_need_nothing_of_each_other_start_side_by_side(plugin: Make) -> None:
    meet = threading.Barrier(2, timeout=BOUND_S)
    third = plugin(CATALOG, "c", STORAGE, COMPUTE)
    report = Lifecycle(
        [plugin(STORAGE, "s", startup=meet.wait), plugin(COMPUTE, "d", startup=meet.wait), third]
    ).start()
    assert report.ok, report
    assert report.outcomes[-1].entry == third.entry


def test_plugins_that_need_nothing_of_each_other_stop_side_by_side(plugin: Make) -> None:
    meet = threading.Barrier(2, timeout=BOUND_S)
    third = plugin(CATALOG, "c", STORAGE, COMPUTE)
    life = Lifecycle([plugin(STORAGE, "s", shutdown=meet.wait), plugin(COMPUTE, "d", shutdown=meet.wait), third])
    assert life.start().ok
    report = life.stop()
    assert report.ok, report
    assert report.outcomes[0].entry == third.entry
    assert life.started == ()


def test_health_is_asked_of_all_at_once(plugin: Make) -> None:
    meet = threading.Barrier(3, timeout=BOUND_S)

    def check(limit: float) -> HealthStatus:
        meet.wait()
        return HealthStatus(HealthState.HEALTHY, f"{limit:g}")

    report = Lifecycle([plugin(kind, "k8s", health_check=check) for kind in (RBAC, CATALOG, STORAGE)]).health(7.0)
    assert report.ok
    assert {one.health.message for one in report.outcomes if one.health} == {"7"}


def test_a_startup_that_hangs_costs_its_limit_and_those_that_need_it(plugin: Make, forever: Any) -> None:
    life = Lifecycle(
        [plugin(STORAGE, "s", startup=forever), plugin(CATALOG, "c", STORAGE), plugin(COMPUTE, "d")],
        SOON,
    )
    begin = time.monotonic()
    report = life.start()
    assert time.monotonic() - begin < BOUND_S
    told = {one.entry.type: one for one in report.outcomes}
    assert (told[STORAGE].answer, told[STORAGE].why) == (Answer.NO_ANSWER, "it did not answer within 0.2 s")
    assert (told[CATALOG].answer, told[CATALOG].why) == (Answer.NOT_CALLED, "it needs storage 's'")
    assert told[COMPUTE].ok
    assert [kind for kind, _ in life.started] == [COMPUTE]
    stopped = life.stop()
    assert [(one.entry.type, one.answer) for one in stopped.outcomes] == [
        (COMPUTE, Answer.OK),
        (STORAGE, Answer.NOT_CALLED),
    ]
    assert stopped.failures[0].why == "its startup has not ended"


def test_a_startup_that_ends_late_is_closed_again(plugin: Make) -> None:
    go, closed = threading.Event(), threading.Event()
    life = Lifecycle([plugin(STORAGE, "s", startup=lambda: go.wait(LONG_S), shutdown=closed.set)], SOON)
    assert not life.start().ok
    life.stop()
    assert not closed.is_set()
    go.set()
    assert closed.wait(BOUND_S)


def test_a_startup_that_ends_late_but_before_the_stop_is_stopped(plugin: Make) -> None:
    go, up, closed = threading.Event(), threading.Event(), threading.Event()

    def startup() -> None:
        go.wait(LONG_S)
        up.set()

    life = Lifecycle([plugin(STORAGE, "s", startup=startup, shutdown=closed.set)], SOON)
    life.start()
    go.set()
    assert up.wait(BOUND_S)
    for thread in threading.enumerate():
        if thread.name == "floe startup storage s":
            thread.join(BOUND_S)
    assert life.started == ((STORAGE, "s"),)
    assert life.stop().ok
    assert closed.is_set()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError("{secret}"), "RuntimeError in hook ("),
        (SystemExit(3), "SystemExit in hook ("),
        (KeyboardInterrupt(), "KeyboardInterrupt in hook ("),
        (FloeError("no bucket", why="it is gone"), "FloeError: no bucket, it is gone"),
    ],
)
@pytest.mark.parametrize("hook", ["startup", "shutdown", "health_check"])
def test_a_hook_that_raises_is_named_and_the_others_go_on(
    plugin: Make, hook: str, error: BaseException, why: str
) -> None:
    life = Lifecycle([plugin(STORAGE, "k8s", **{hook: fails(error)}), plugin(RBAC, "k8s")])
    reports = {"startup": life.start(), "health_check": life.health(), "shutdown": life.stop()}
    (failure,) = reports[hook].failures
    assert (failure.entry.type, failure.answer, failure.hook) == (STORAGE, Answer.FAILED, Hook(hook))
    assert failure.why.startswith(why)
    assert sum(one.ok for one in reports[hook].outcomes) == 1
    assert all(report.ok for name, report in reports.items() if name != hook)


def test_the_words_of_a_foreign_exception_are_told_nowhere(
    plugin: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    value = secrets.token_hex(16)
    broken = fails(ValueError(value))
    caplog.set_level(logging.DEBUG)
    with pytest.raises(LifecycleError) as caught, Lifecycle([plugin(STORAGE, "s", startup=broken)]):
        pass
    with Lifecycle([plugin(STORAGE, "s", shutdown=broken, health_check=broken)]) as life:
        report = life.health()
    told = " ".join(one.to_json() for one in spans.get_finished_spans())
    assert "ValueError in hook" in told
    assert "ValueError in hook" in caplog.text
    assert value not in f"{caught.value} {caught.value.report!r} {report!r} {caplog.text} {told}"


def test_health_names_each_way_of_not_being_well(plugin: Make, forever: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "HEALTH_GRACE_S", 0.1)
    checks: dict[PluginType, Callable[[float], Any]] = {
        STORAGE: forever,
        CATALOG: lambda _: None,
        COMPUTE: lambda _: HealthStatus(HealthState.UNHEALTHY, "no disk"),
        SECRETS: lambda _: HealthStatus(HealthState.DEGRADED, "slow"),
    }
    begin = time.monotonic()
    report = Lifecycle([plugin(kind, "k8s", health_check=check) for kind, check in checks.items()]).health(0.2)
    assert time.monotonic() - begin < BOUND_S
    told = {one.entry.type: str(one).split("health_check ", 1)[1] for one in report.outcomes}
    assert told == {
        STORAGE: "no answer: it did not answer within 0.2 s",
        CATALOG: "failed: health_check gives NoneType, and not a HealthStatus",
        COMPUTE: "unhealthy: no disk",
        SECRETS: "degraded: slow",
    }
    assert {one.entry.type for one in report.failures} == {STORAGE, CATALOG, COMPUTE}


def test_asking_again_leaves_no_more_threads_behind(
    plugin: Make, forever: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "HEALTH_GRACE_S", 0.1)
    life = Lifecycle([plugin(STORAGE, "s", health_check=forever)])
    life.health(0.1)
    before = threading.active_count()
    (again,) = life.health(0.1).outcomes
    assert (again.answer, threading.active_count()) == (Answer.NO_ANSWER, before)
    assert "s ago has not ended" in again.why


def test_a_plugin_that_does_not_start_stops_the_others_and_raises(plugin: Make, forever: Any) -> None:
    closed = threading.Event()
    plugins = [plugin(STORAGE, "s", startup=forever), plugin(COMPUTE, "d", shutdown=closed.set)]
    with pytest.raises(LifecycleError, match="1 of 2 plugins did not start") as caught, Lifecycle(plugins, SOON):
        pytest.fail("the body runs only when all have started")
    assert closed.is_set()
    assert caught.value.exit_code is ExitCode.TIMEOUT
    assert (caught.value.where, "within 0.2 s" in caught.value.why) == ("plugins.storage", True)


def test_a_shutdown_that_fails_hides_neither_the_work_nor_its_error(
    plugin: Make, forever: Any, caplog: pytest.LogCaptureFixture
) -> None:
    closed = threading.Event()
    plugins = [
        plugin(STORAGE, "s", shutdown=closed.set),
        plugin(COMPUTE, "d", STORAGE, shutdown=fails(OSError())),
        plugin(RBAC, "k8s", COMPUTE, shutdown=forever),
    ]
    with pytest.raises(ZeroDivisionError), Lifecycle(plugins, SOON):
        1 / 0  # noqa: B018 - the failure is the point
    assert closed.is_set()
    told = [record.getMessage().split(":")[0] for record in caplog.records]
    assert told == ["rbac 'k8s' (floe-rbac-k8s 1.2.3)", "compute 'd' (floe-compute-d 1.2.3)"]


def test_a_lifecycle_is_for_one_life(plugin: Make) -> None:
    ups: list[int] = []
    one = plugin(STORAGE, "s", startup=lambda: ups.append(1))
    with Lifecycle([one]) as life:
        pass
    assert life.stop().outcomes == ()
    with pytest.raises(RuntimeError, match="one life"):
        life.start()
    with Lifecycle([one]):
        assert ups == [1, 1]


def test_a_plugin_is_there_once_and_found_by_its_type(plugin: Make) -> None:
    one, two = plugin(RBAC, "k8s"), plugin(SECRETS, "k8s")
    life = Lifecycle([one, two])
    assert life.instance(SECRETS) is two.instance
    assert life.instance(RBAC, "k8s") is one.instance
    for kind, name in ((STORAGE, None), (RBAC, "other")):
        with pytest.raises(PluginNotFoundError, match=f"no plugin of type {kind}"):
            life.instance(kind, name)
    with pytest.raises(PluginNotFoundError, match="several"):
        Lifecycle([one, plugin(RBAC, "other")]).instance(RBAC)
    with pytest.raises(DuplicatePluginError, match="there twice"):
        Lifecycle([one, plugin(RBAC, "k8s")])


HANGING = """
import sys, time
sys.path.insert(0, sys.argv[1])
from conftest import make
from floe_core.plugins import PluginType
from floe_core.registry.lifecycle import Lifecycle, Limits

def hang(*_):
    print("hanging", flush=True)
    time.sleep(30)

sound = make(PluginType.COMPUTE, "d", shutdown=lambda: print("closed", flush=True))
stuck = make(PluginType.STORAGE, "s", PluginType.COMPUTE, startup=hang, health_check=hang)
limits = Limits(startup_s=float(sys.argv[2]))
with Lifecycle([sound, stuck], limits):
    pass
"""


@pytest.mark.parametrize(("limit_s", "interrupted"), [(0.2, False), (30.0, True)])
def test_the_process_ends_at_once_and_an_interrupt_is_not_swallowed(limit_s: float, interrupted: bool) -> None:
    words = [sys.executable, "-c", HANGING, str(Path(__file__).parent), str(limit_s)]
    begin = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        if interrupted:
            process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=LONG_S)
    assert time.monotonic() - begin < BOUND_S
    assert out == "closed\n"
    assert error.strip().splitlines()[-1].startswith("KeyboardInterrupt") is interrupted
    assert ("LifecycleError" in error) is not interrupted
    assert process.returncode == (-signal.SIGINT if interrupted else 1)

"""The acceptance suite's ground: the running platform, and one trace for the whole session.

Every test is a span below the span of the session, which continues the trace of `TRACEPARENT` when a run
gives one; what a test compiles, builds or commits in this process hangs below the test's span. Endpoints
come from the target, never from a port number.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import FloeError
from floe_core.telemetry import span
from floe_ops import readiness, targets, tracing, warehouse
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

if TYPE_CHECKING:
    from collections.abc import Generator

    from floe_ops.targets import Platform, Target

GATE_S, GATE_STREAK = 30.0, 3
NEEDS_PLATFORM = ("platform", "catalog")
SESSION: pytest.StashKey[ExitStack] = pytest.StashKey()


@pytest.fixture(scope="session")
def target() -> Target:
    """Where the platform runs: `FLOE_TARGET`, else the local machine."""
    return targets.current()


@pytest.fixture(scope="session")
def platform(target: Target) -> Platform:
    """The running platform, behind the gate: three good answers of the catalog in a row, once a session.

    None running, or one that is not ready in time, is a failure with its remedy, never a skip.
    """
    found = target.find()
    if found is None:
        pytest.fail(f"no platform is running on the target {target.name!r}\n  next:  invoke platform.up", pytrace=False)
    try:
        readiness.wait(lambda: warehouse.find(target.find), readiness.Terms(GATE_S, GATE_STREAK))
    except FloeError as error:
        pytest.fail(f"the gate before the first test: {error}", pytrace=False)
    return found


@pytest.fixture(scope="session")
def endpoints(platform: Platform) -> dict[str, str]:
    """URL by endpoint name, as `services.toml` names them."""
    return platform.urls


@pytest.fixture(autouse=True)
def _platform_where_marked(request: pytest.FixtureRequest) -> None:
    """A test marked `platform` or `catalog` waits for the platform even when it takes no fixture of it."""
    if any(request.node.get_closest_marker(name) for name in NEEDS_PLATFORM):
        request.getfixturevalue("platform")


def _session_trace(session: pytest.Session) -> None:
    """Set up the tracer provider once and open the span of the session (T24).

    Not in `pytest_sessionstart`: pytest loads this file too late for it when it was started from the root.
    """
    if SESSION in session.stash:
        return
    stack = ExitStack()
    session.stash[SESSION] = stack
    stack.enter_context(tracing.started(always=True))
    stack.enter_context(span("suite tests/e2e", **{"floe.suite": "tests/e2e"}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the span of the session and send what is left."""
    session.stash.get(SESSION, ExitStack()).close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A span a test, around its fixtures too; it names the criteria that the test proves."""
    _session_trace(item.session)
    criteria = [str(one) for mark in item.iter_markers("requirement") for one in mark.args]
    with span(f"test {item.name}", **{"floe.test.id": item.nodeid, "floe.test.requirements": criteria}):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The outcome goes onto the test's span, which is the current one."""
    report = yield
    current = trace.get_current_span()
    if report.failed:
        current.set_status(Status(StatusCode.ERROR, f"{item.name} failed in its {call.when}"))
    if report.when == "call" or report.failed:
        current.set_attribute("floe.test.outcome", report.outcome)
    return report

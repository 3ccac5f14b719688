"""The rules of the suite, as a pytest plugin (`-p floe_ops.suite`).

A skipped test fails the session, an unexpected pass fails it, and an expected failure counts only with a reason, a
tracking reference and a last day that has not passed. `--unit WU1` keeps the tests of one work unit, `--lane duckdb`
or `--lane catalog` those of one lane. A test marked `local` or `cluster` can only be run on that target, and is
deselected on the other one; the plan says which criteria that leaves out. Inside of a Nox run each test leaves
evidence for the criteria it names, and the session its totals.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from floe_ops import evidence, orphans, plan, project
from floe_ops.audits import collecting, xfails
from floe_ops.audits.collected import Xfail
from floe_ops.services import LOCAL

if TYPE_CHECKING:
    from collections.abc import Generator

    from _pytest.terminal import TerminalReporter

LANES = ("duckdb", "catalog")
OUTCOMES = ("passed", "failed", "errors", "skipped", "xfailed", "xpassed")
PROPERTY = "requirement"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose tests, and two for the task that starts pytest."""
    group = parser.getgroup("floe", "work units, lanes and evidence")
    group.addoption("--unit", metavar="WUn", help="keep the tests that prove criteria of this work unit")
    group.addoption("--lane", choices=LANES, help="keep the tests of this lane")
    group.addoption("--failures-to", metavar="FILE", help="write the failing node ids to FILE, as JSON")
    group.addoption("--ends-with", metavar="PID", type=int, help="end when this parent process is gone")


def pytest_configure(config: pytest.Config) -> None:
    """Bind this process to its parent, and keep count where reports arrive (not in the workers of xdist)."""
    parent = config.getoption("--ends-with")
    if hasattr(config, "workerinput"):
        return
    if parent:
        orphans.interrupt_on_sigterm()  # fixtures end what they started
        orphans.end_with(parent)
    config.pluginmanager.register(_Ledger(config), "floe-ledger")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note each test's criteria, and keep those that were asked for.

    Raises:
        pytest.UsageError: Nothing is left, the unit is unknown, or a test of a laned unit names no lane.
    """
    unit, lane = config.getoption("--unit"), config.getoption("--lane")
    for item in items:
        item.user_properties.extend((PROPERTY, criterion) for criterion in collecting.criteria(item))
    if unit and unit not in plan.load().units:
        raise pytest.UsageError(f"--unit {unit}: the units are {', '.join(plan.load().units)}")
    of_unit = [item for item in items if not unit or _proves(item, unit)]
    if lane:
        laneless = [i.nodeid for i in of_unit if unit and not any(i.get_closest_marker(name) for name in LANES)]
        if laneless:
            raise pytest.UsageError(f"these tests of {unit} say no lane (duckdb or catalog): {', '.join(laneless)}")
    target = os.environ.get("FLOE_TARGET") or LOCAL
    here = [item for item in of_unit if _on(item, target)]
    kept = [item for item in here if not lane or item.get_closest_marker(lane)]
    if (unit or lane) and not kept:
        asked = " ".join(word for word in (unit, lane) if word)
        raise pytest.UsageError(f"no test was collected for {asked}: what proves nothing cannot pass")
    dropped = [item for item in items if item not in set(kept)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn an expected failure that breaks the rules into a plain one."""
    report = yield
    if not hasattr(report, "wasxfail"):
        return report
    strict = bool(item.config.getini("xfail_strict"))
    marks = [Xfail(**mark) for mark in collecting.xfails(item, strict=strict)]
    today = datetime.now(UTC).date()
    broken = [fault for mark in marks for fault in xfails.faults(mark, today)]
    if not marks:
        broken = ["comes from pytest.xfail() in the test and not from a mark"]
    if broken:
        report.outcome = "failed"
        report.longrepr = f"this expected failure {', '.join(broken)}; {xfails.HOW}"
        del report.wasxfail
    return report


def _on(item: pytest.Item, target: str) -> bool:
    """Whether a test can be run on `target`: it names no target, or this one."""
    named = collecting.targets(item)
    return not named or target in named


def _proves(item: pytest.Item, unit: str) -> bool:
    return any(criterion.split("-", 1)[0] == unit for criterion in collecting.criteria(item))


class _Ledger:
    """Counts outcomes, fails the session for what may not be, and writes evidence and totals at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.totals: Counter[str] = Counter()
        self.outcomes: dict[str, str] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.criteria: dict[str, list[str]] = {}
        self.reasons: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count modules that failed to import or skipped themselves."""
        if report.outcome != "passed":
            self._settle(report.nodeid, "errors" if report.failed else "skipped", str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test; a fault in setup or teardown outweighs a passed call."""
        nodeid = report.nodeid
        self.seconds[nodeid] += report.duration
        self.criteria[nodeid] = [str(value) for key, value in report.user_properties if key == PROPERTY]
        if report.failed:
            strict_pass = "[XPASS(strict)]" in str(report.longrepr) and report.when == "call"
            self._settle(nodeid, "xpassed" if strict_pass else "failed" if report.when == "call" else "errors")
        elif hasattr(report, "wasxfail"):
            self._settle(nodeid, "xfailed" if report.skipped else "xpassed")
        elif report.skipped:
            self._settle(nodeid, "skipped", _skip_reason(report))
        elif report.when == "call":
            self._settle(nodeid, "passed")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session with skips or unexpected passes, and write what was seen."""
        self.totals = Counter(self.outcomes.values())
        if session.exitstatus == pytest.ExitCode.OK and (self.totals["skipped"] or self.totals["xpassed"]):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not self.config.getoption("--collect-only"):
            self._write()

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Say why a session without a failed test failed all the same."""
        for reason in self.reasons:
            terminalreporter.write_line(reason, red=True)

    def _settle(self, nodeid: str, outcome: str, detail: str = "") -> None:
        if self.outcomes.get(nodeid) in {"failed", "errors"}:
            return
        self.outcomes[nodeid] = outcome
        if outcome == "skipped":
            self.reasons.append(f"SKIPPED {nodeid}: {detail} (a skip fails the session)")

    def _write(self) -> None:
        named = self.config.getoption("--failures-to")
        if named:
            bad = {"failed", "errors", "skipped", "xpassed"}
            failing = [nodeid for nodeid, outcome in self.outcomes.items() if outcome in bad]
            Path(named).write_text(json.dumps(failing), encoding="utf-8")
        folder = project.run_dir()
        if folder is None:
            return
        for nodeid, outcome in self.outcomes.items():
            if outcome != "xfailed":  # it says nothing of its criterion, which needs other evidence then
                for criterion in self.criteria.get(nodeid, ()):
                    evidence.record(criterion, *self._fact(nodeid, outcome), source=nodeid)
        session = plan.slug(os.environ.get("FLOE_SESSION", "desk"))
        totals = {name: self.totals[name] for name in OUTCOMES}
        (folder / f"{session}.totals.json").write_text(json.dumps(totals), encoding="utf-8")

    def _fact(self, nodeid: str, outcome: str) -> tuple[evidence.Outcome, str]:
        took = f"{nodeid}, {self.seconds[nodeid]:.2f} s"
        return ("passed", took) if outcome == "passed" else ("failed", f"{outcome}: {took}")


def _skip_reason(report: pytest.TestReport) -> str:
    where: Any = report.longrepr
    return str(where[2]) if isinstance(where, tuple) else str(where)

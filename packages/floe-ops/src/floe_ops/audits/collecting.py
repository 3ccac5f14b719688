"""A pytest plugin that writes down what was collected: every test with its criteria and its xfail marks.

Used with `--collect-only` by `floe_ops.audits.collected`; marks are asked of pytest itself, so that those of modules,
classes, parameters and hooks count as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_ops.services import CLUSTER, LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

OPTION = "--collected-to"
TARGETS = (LOCAL, CLUSTER)
"""Marks of tests that can be run on one target only."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file to write."""
    parser.addoption(OPTION, metavar="FILE", help="write what was collected to FILE, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the collection where a file was named."""
    named = config.getoption(OPTION)
    if named:
        config.pluginmanager.register(_Writer(Path(named), strict=bool(config.getini("xfail_strict"))))


def criteria(item: pytest.Item) -> list[str]:
    """The criteria that a test says it proves, in the order of its marks, each once."""
    named = (str(word) for mark in item.iter_markers("requirement") for word in mark.args)
    return list(dict.fromkeys(named))


def xfails(item: pytest.Item, *, strict: bool) -> Iterator[dict[str, Any]]:
    """The test's xfail marks: reason and strictness, where a mark that says nothing takes the ini file's."""
    for mark in item.iter_markers("xfail"):
        yield {
            "reason": str(mark.kwargs.get("reason", "")),
            "strict": bool(mark.kwargs.get("strict", strict)),
        }


def targets(item: pytest.Item) -> list[str]:
    """The targets that a test can be run on, where it says so; none means any."""
    return [name for name in TARGETS if item.get_closest_marker(name)]


class _Writer:
    def __init__(self, path: Path, *, strict: bool) -> None:
        self.path = path
        self.strict = strict
        self.broken: list[dict[str, str]] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected, or was skipped as a whole."""
        if report.outcome != "passed":
            why = str(report.longrepr).strip().splitlines()
            self.broken.append({"nodeid": report.nodeid, "why": why[-1] if why else report.outcome})

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write the file once everything is collected."""
        tests = [
            {
                "nodeid": item.nodeid,
                "criteria": criteria(item),
                "targets": targets(item),
                "xfails": list(xfails(item, strict=self.strict)),
            }
            for item in session.items
        ]
        self.path.write_text(json.dumps({"tests": tests, "broken": self.broken}), encoding="utf-8")

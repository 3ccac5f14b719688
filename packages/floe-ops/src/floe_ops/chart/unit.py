"""The chart's unit tests by helm-unittest, counted by suite; no cluster and no Helm are needed."""

from __future__ import annotations

import re
import shutil
import subprocess  # nosec B404 - helm-unittest is a program
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # nosec B405 - only a report that helm-unittest has just written is read

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops import orphans, toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOL = "helm-unittest"
LIMIT_S = 300.0
SHOWN = 12


@dataclass(frozen=True)
class Failure:
    """One test that failed: its suite, its name, and what was seen."""

    suite: str
    test: str
    why: str


@dataclass(frozen=True)
class Count:
    """How the tests of one chart ended."""

    chart: str
    suites: int
    passed: int
    failures: tuple[Failure, ...]


def run(chart: Path, *, files: Sequence[str] = (), program: Path | None = None) -> Count:
    """Run the unit tests of one chart, not those of its subcharts.

    Args:
        chart: Its folder, with `tests/*_test.yaml` in it.
        files: Test files to run, relative to the chart; all when empty.
        program: helm-unittest; built when none is given.

    Raises:
        MissingToolError: helm-unittest cannot be had.
        NotReadyError: It does not end.
        WrongStateError: There are no tests, or they cannot be read.
    """
    program = program or toolchain.ensure(TOOL)
    with tempfile.TemporaryDirectory(prefix="floe-unit-") as scratch:
        report = Path(scratch) / "report.xml"
        words = ["--strict", "--with-subchart=false", "--output-type", "JUnit", "--output-file", str(report)]
        words += [word for file in files for word in ("--file", file)]
        copy = Path(scratch) / chart.name  # it writes beside the tests
        shutil.copytree(chart, copy)
        said = _called(program, [*words, str(copy)], Path(scratch))
        return _count(chart, report, said)


def check(charts: Sequence[Path]) -> tuple[Count, ...]:
    """Run the unit tests of these charts.

    Raises:
        WrongStateError: A test failed; the first are told. Otherwise as `run`.
    """
    counts = tuple(run(chart) for chart in charts)
    failures = [failure for count in counts for failure in count.failures]
    if failures:
        told = [f"{one.suite}: {one.test}: {one.why}" for one in failures[:SHOWN]]
        raise WrongStateError(
            f"{len(failures)} unit tests of the chart failed",
            where=", ".join(count.chart for count in counts if count.failures),
            why="\n         ".join(told),
            remedy="correct the template, or the test where the template is right",
        )
    return counts


def _called(program: Path, words: list[str], scratch: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - the pinned tool, no shell
            [str(program), *words],
            env={"PATH": "/usr/bin:/bin", "HOME": str(scratch), "TMPDIR": str(scratch), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
            process_group=0,
            preexec_fn=orphans.killed_with_this(),
        )
    except subprocess.TimeoutExpired:
        raise NotReadyError(
            "the chart's unit tests do not end",
            where=words[-1],
            why=f"after {LIMIT_S:g} s",
            remedy="run fewer of them at once",
        ) from None
    return done.stdout.strip()[-2000:]


def _count(chart: Path, report: Path, said: str) -> Count:
    try:
        suites = list(ET.parse(report).iter("testsuite"))  # noqa: S314  # nosec B314 - our tool wrote it a moment ago
    except (OSError, ET.ParseError):
        raise WrongStateError(
            "the chart's unit tests did not run",
            where=str(chart),
            why=said,
            remedy="correct the chart or its tests",
        ) from None
    failures = []
    passed = 0
    for suite in suites:
        for case in suite.iter("testcase"):
            flaws = [*case.findall("failure"), *case.findall("error")]
            if flaws:
                text = re.sub(r"\s+(,\s+)?", " ", flaws[0].text or flaws[0].get("message") or "").strip()
                failures.append(Failure(suite.get("name", ""), case.get("name", ""), text[:300]))
            else:
                passed += 1
    if not passed and not failures:
        raise WrongStateError(
            "the chart has no unit tests that run",
            where=str(chart / "tests"),
            why=said,
            remedy="write tests/*_test.yaml; correct what helm-unittest complains about",
        )
    return Count(chart.name, len(suites), passed, tuple(failures))

"""Run the e2e suite, or one unit's or one lane's part of it, as a child with the platform's environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import FloeError, WrongStateError

from floe_ops import plan, project, tracing
from floe_ops.targets import interface

SUITE = "tests/e2e"
GRACE_S = 10.0
MOST_WORKERS = 4  # each imports dbt anew; beyond that it costs more than it gains
PLUGINS = ("--disable-plugin-autoload", "-p", "pytest_timeout", "-p", "floe_ops.suite")  # the others cost 1.4 s a start


@dataclass(frozen=True)
class Choice:
    """Which tests to run: those of a work unit, of a lane, both, or all; and whether modules run side by side.

    Side by side is for tests that share nothing but what they make themselves, so not for those of one platform.
    """

    unit: str = ""
    lane: str = ""
    side_by_side: bool = False

    @property
    def title(self) -> str:
        """The choice in words."""
        return " ".join(word for word in (self.unit, self.lane and f"({self.lane} lane)") if word) or "the whole suite"

    def words(self) -> list[str]:
        """The choice as options of pytest and of `floe_ops.suite`."""
        chosen = [*(("--unit", self.unit) if self.unit else ()), *(("--lane", self.lane) if self.lane else ())]
        if not self.side_by_side:
            return chosen
        workers = min(MOST_WORKERS, os.cpu_count() or 1)
        return [*chosen, "-p", "xdist", "-n", str(workers), "--dist", "loadfile"]


def prove(choice: Choice) -> None:
    """Run the chosen tests against the platform that is up, if one is; their output appears as it comes.

    Leaves a JUnit file in the run's folder, at a desk `.floe/report/junit.xml`. The child ends with this process,
    however that ends.

    Raises:
        WrongStateError: Tests failed, or were skipped; `why` names them.
        FloeError: pytest itself could not do its work.
    """
    root = project.root()
    with tempfile.TemporaryDirectory(prefix="floe-prove-") as scratch:
        failures = Path(scratch) / "failures.json"
        words = [*PLUGINS, *choice.words(), "--failures-to", str(failures)]
        words += ["--ends-with", str(os.getpid()), "-o", "junit_family=xunit2"]
        words.append(f"--junit-xml={_junit()}")
        code = _run([sys.executable, "-m", "pytest", SUITE, *words], root)
        failing = json.loads(failures.read_text(encoding="utf-8")) if failures.is_file() else []
    if failing:
        raise WrongStateError(
            f"{len(failing)} of the tests for {choice.title} did not pass",
            where=SUITE,
            why="\n         ".join(failing),
            remedy=f"see the output above; run one alone: pytest {failing[0]}",
        )
    if code:
        raise FloeError(
            f"the tests for {choice.title} could not be run",
            where=SUITE,
            why=f"pytest ended with {code}; its last lines above say why",
        )


def _junit() -> Path:
    run = project.run_dir()
    if run is None:
        return project.state() / "report" / "junit.xml"
    return run / f"{plan.slug(os.environ.get('FLOE_SESSION', 'desk'))}.junit.xml"


def _run(words: list[str], root: Path) -> int:
    """Run pytest with our own standard streams; on an interrupt it is given time to end what it started."""
    platform = interface.current().find()
    environ = {**os.environ, **(platform.environment() if platform else {}), **tracing.environment()}
    environ["PYTHONUNBUFFERED"] = "1"
    sys.stdout.flush()
    child = subprocess.Popen(words, cwd=root, env=environ, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words
    try:
        return child.wait()
    except BaseException:
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise

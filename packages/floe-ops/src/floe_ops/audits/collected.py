"""Every test of the project with its marks, as pytest collects them; nothing is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops.audits.collecting import OPTION

if TYPE_CHECKING:
    from collections.abc import Mapping

DEADLINE_S = 120.0
E2E = "tests/e2e/"
TREES = ("packages", "plugins", "testing", "tests")


@dataclass(frozen=True)
class Xfail:
    """One xfail mark: the reason as written, and whether an unexpected pass fails."""

    reason: str
    strict: bool


@dataclass(frozen=True)
class Test:
    """One collected test: its node id, the criteria it proves, its xfail marks, and its targets (none means any)."""

    __test__ = False  # pytest must not take it for a test class where a test module imports it

    nodeid: str
    criteria: tuple[str, ...]
    xfails: tuple[Xfail, ...]
    targets: tuple[str, ...] = ()

    def runs_on(self, target: str) -> bool:
        """Whether it is among the tests that are run on `target`."""
        return not self.targets or target in self.targets

    @property
    def e2e(self) -> bool:
        """Whether it belongs to the suite that runs on the platform."""
        return self.nodeid.startswith(E2E)


@cache
def collect(project: Path) -> tuple[Test, ...]:
    """Collect the project's tests in a child process; asked once a process, however many audits want it.

    Raises:
        WrongStateError: A module could not be collected, or was skipped as a whole.
        NotReadyError: The collection did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="floe-collect-") as scratch:
        output = Path(scratch) / "tests.json"
        words = ["--collect-only", "-q", "--no-header", "-p", "floe_ops.audits.collecting", OPTION, str(output)]
        words += [tree for tree in TREES if (project / tree).is_dir()]  # `testpaths` leaves out what needs a platform
        try:
            done = subprocess.run(  # noqa: S603 - our interpreter with words of our own
                [sys.executable, "-m", "pytest", *words],
                cwd=project,
                env=outside_of_a_run(os.environ),
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotReadyError(f"pytest did not collect within {DEADLINE_S:.0f} s", where=str(project)) from error
        if not output.is_file():
            why = "\n         ".join((done.stdout + done.stderr).strip().splitlines()[-8:])
            raise WrongStateError("pytest could not collect the tests", where=str(project), why=why)
        raw = json.loads(output.read_text(encoding="utf-8"))
    if raw["broken"]:
        why = "\n         ".join(f"{entry['nodeid']}: {entry['why']}" for entry in raw["broken"])
        raise WrongStateError("some test modules cannot be collected", where=str(project), why=why)
    return tuple(
        Test(
            entry["nodeid"],
            tuple(entry["criteria"]),
            tuple(Xfail(**mark) for mark in entry["xfails"]),
            tuple(entry["targets"]),
        )
        for entry in raw["tests"]
    )


def outside_of_a_run(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the running session: what a child does is not that session's evidence."""
    return {key: value for key, value in environ.items() if key not in {"FLOE_RUN_DIR", "FLOE_SESSION", "TRACEPARENT"}}

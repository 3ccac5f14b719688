"""The rules of the suite, on planted suites that real pytest processes run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from floe_ops.audits.collected import outside_of_a_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INI = """
[tool.pytest.ini_options]
addopts = ["--strict-markers", "--strict-config"]
xfail_strict = true
markers = ["requirement(id, ...): x", "duckdb: x", "catalog: x", "local: x", "cluster: x"]
"""
MIXED = """
import pytest

until = "until 2999-01-01"

@pytest.fixture
def breaks_late():
    yield
    raise RuntimeError("late")

@pytest.mark.requirement("WU1-AC1", "WU1-AC2")
def test_good(): pass

@pytest.mark.requirement("WU1-AC3")
def test_bad(): raise AssertionError

@pytest.mark.requirement("WU1-BC1")
@pytest.mark.xfail(reason=f"broken (#12), {until}")
def test_expected(): raise AssertionError

@pytest.mark.xfail(reason=f"broken (#12), {until}")
def test_unexpected_pass(): pass

def test_late(breaks_late): pass

def test_skipped(): pytest.skip("not today")
"""


@dataclass(frozen=True)
class Run:
    """A finished pytest: exit code, output, and what it left in the run's folder."""

    code: int
    output: str
    folder: Path

    @property
    def totals(self) -> dict[str, int]:
        return dict(json.loads((self.folder / "a-b.totals.json").read_text(encoding="utf-8")))

    @property
    def facts(self) -> dict[str, tuple[str, str]]:
        lines = (self.folder / "a-b.evidence.jsonl").read_text(encoding="utf-8").splitlines()
        facts = [json.loads(line) for line in lines]
        return {fact["criterion"]: (fact["status"], fact["source"]) for fact in facts}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """A function that runs pytest on one planted module, as session `a(b)`."""

    def start(module: str, *words: str) -> Run:
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (tmp_path / "pyproject.toml").write_text(INI, encoding="utf-8")
        (tmp_path / "test_planted.py").write_text(module, encoding="utf-8")
        environ = {**outside_of_a_run(os.environ), "FLOE_RUN_DIR": str(folder), "FLOE_SESSION": "a(b)"}
        environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # half of a child's start-up time
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "floe_ops.suite", "-p", "no:cacheprovider", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr, folder)

    return start


@pytest.mark.parametrize("words", [(), ("-p", "xdist", "-n", "2")], ids=["one process", "workers"])
def test_outcomes_are_counted_and_leave_evidence(
    run: Callable[..., Run], tmp_path: Path, words: tuple[str, ...]
) -> None:
    failures = tmp_path / "failures.json"
    done = run(MIXED, "--failures-to", str(failures), *words)
    assert done.code == 1
    assert done.totals == {"passed": 1, "failed": 1, "errors": 1, "skipped": 1, "xfailed": 1, "xpassed": 1}
    assert done.facts == {
        "WU1-AC1": ("passed", "test_planted.py::test_good"),
        "WU1-AC2": ("passed", "test_planted.py::test_good"),
        "WU1-AC3": ("failed", "test_planted.py::test_bad"),
    }
    names = {nodeid.split("::")[1] for nodeid in json.loads(failures.read_text(encoding="utf-8"))}
    assert names == {"test_bad", "test_unexpected_pass", "test_late", "test_skipped"}


def test_every_kind_of_skip_counts_and_skips_alone_fail_the_session(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "test_whole.py").write_text(
        "import pytest\npytest.skip('no', allow_module_level=True)", encoding="utf-8"
    )
    (tmp_path / "test_import.py").write_text("import pytest\npytest.importorskip('no_such')", encoding="utf-8")
    done = run(
        "import pytest\n"
        "def test_a(): pytest.skip('no')\n"
        "@pytest.mark.skip(reason='no')\ndef test_b(): pass\n"
        "@pytest.mark.skipif(True, reason='no')\ndef test_c(): pass\n"
        "def test_d(): pass\n"
    )
    assert done.code == 1
    assert done.totals == {"passed": 1, "failed": 0, "errors": 0, "skipped": 5, "xfailed": 0, "xpassed": 0}
    assert done.output.count("a skip fails the session") == 5


def test_a_unit_keeps_its_tests_alone(run: Callable[..., Run]) -> None:
    two = "import pytest\n" + "\n".join(
        f"@pytest.mark.requirement('WU{n}-AC1')\n@pytest.mark.{lane}\ndef test_{n}_{lane}(): pass"
        for n in (1, 2)
        for lane in ("duckdb", "catalog")
    )
    assert run(two, "--unit", "WU1").totals["passed"] == 2
    assert run(two, "--lane", "duckdb").totals["passed"] == 2
    assert run(two, "--unit", "WU2", "--lane", "catalog").totals["passed"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--unit", "WU2"), "no test was collected for WU2"),
        (("--unit", "WU99"), "the units are WU1"),
        (("--unit", "WU1", "--lane", "duckdb"), "say no lane"),
        (("--lane", "parquet"), "invalid choice"),
    ],
)
def test_a_choice_that_proves_nothing_is_refused(run: Callable[..., Run], words: tuple[str, ...], said: str) -> None:
    module = "import pytest\n@pytest.mark.requirement('WU1-AC1')\ndef test_a(): pass"
    done = run(module, *words)
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert said in done.output


def test_an_expected_failure_that_breaks_the_rules_is_a_failure(run: Callable[..., Run]) -> None:
    marks = {
        "reason='broken (#12), until 2020-01-01'": "expired on 2020-01-01",
        "reason='broken, until 2999-01-01'": "no tracking reference",
        "reason='broken (#12)'": "no last day",
        "reason='broken (#12), until 2999-01-01', strict=False": "is not strict",
        "": "has no reason",
    }
    tests = [
        f"@pytest.mark.xfail({mark})\ndef test_{number}(): raise AssertionError" for number, mark in enumerate(marks)
    ]
    inside = "def test_inside(): pytest.xfail('broken (#12), until 2999-01-01')"
    done = run("\n".join(["import pytest", *tests, inside]))
    assert (done.code, done.totals["failed"], done.totals["xfailed"]) == (1, 6, 0)
    for said in (*marks.values(), "not from a mark"):
        assert said in done.output


TARGETED = """
import pytest

@pytest.mark.requirement("WU1-AC1")
@pytest.mark.local
def test_here(): pass

@pytest.mark.requirement("WU1-AC5")
@pytest.mark.cluster
def test_there(): pass

@pytest.mark.requirement("WU1-AC2")
def test_anywhere(): pass
"""


@pytest.mark.parametrize(("target", "kept"), [("", "WU1-AC1"), ("local", "WU1-AC1"), ("cluster", "WU1-AC5")])
def test_what_cannot_run_on_a_target_is_deselected_there(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, target: str, kept: str
) -> None:
    monkeypatch.setenv("FLOE_TARGET", target)
    done = run(TARGETED)
    assert done.code == 0
    assert set(done.facts) == {kept, "WU1-AC2"}
    assert done.totals["skipped"] == 0
    assert "1 deselected" in done.output

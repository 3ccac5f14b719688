"""WU-8: the rules of the suite hold against planted suites, by the task that the gate runs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops import plan
from floe_ops.audits import collected, traceability, xfails
from floe_ops.audits.collected import outside_of_a_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INI = """
[tool.pytest.ini_options]
addopts = ["--strict-markers", "--strict-config", "--import-mode=importlib"]
xfail_strict = true
markers = ["requirement(id, ...): the criteria proved"]
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A function that makes a project whose whole e2e suite is one module."""

    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # half of a child's start-up time

    def write(module: str) -> Path:
        suite = tmp_path / "tests" / "e2e"
        suite.mkdir(parents=True, exist_ok=True)
        for name in ("noxfile.py", "uv.lock"):
            (tmp_path / name).touch()
        (tmp_path / "pyproject.toml").write_text(INI, encoding="utf-8")
        (suite / "test_planted.py").write_text(f"import pytest\n{module}", encoding="utf-8")
        collected.collect.cache_clear()
        return tmp_path

    return write


def prove(root: Path) -> subprocess.CompletedProcess[str]:
    """`invoke final.prove` as a session runs it, on a planted project."""
    return subprocess.run(
        [sys.executable, "-c", "from floe_ops.proving import Choice, prove; prove(Choice())"],
        cwd=root,
        env={**outside_of_a_run(os.environ), "FLOE_ROOT": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


GOOD = """
@pytest.mark.requirement("WU8-AC1")
def test_good(): pass
"""


@pytest.mark.requirement("WU8-AC5", "WU8-AC4")
def test_a_good_suite_passes_and_leaves_a_junit_report(planted: Callable[[str], Path]) -> None:
    root = planted(GOOD)
    done = prove(root)
    assert done.returncode == 0, done.stdout + done.stderr
    junit = (root / ".floe" / "report" / "junit.xml").read_text(encoding="utf-8")
    assert 'tests="1"' in junit
    assert 'value="WU8-AC1"' in junit


@pytest.mark.requirement("WU8-AC4", "WU8-AC5", "WU8-AC6", "WU8-BC2", "WU8-BC3")
def test_what_may_not_be_fails_and_is_named(planted: Callable[[str], Path]) -> None:
    done = prove(
        planted(
            GOOD
            + """
@pytest.mark.xfail(reason="broken (#1), until 2999-01-01")
def test_xpass(): pass
@pytest.mark.xfail(reason="broken (#1), until 2020-01-01")
def test_expired(): raise AssertionError
@pytest.mark.xfail(reason="broken, until 2999-01-01")
def test_without_reference(): raise AssertionError
@pytest.mark.xfail(reason="broken (#1), until 2999-01-01", strict=False)
def test_lenient_xpass(): pass
def test_skip(): pytest.skip("not today")
def test_failed(): raise AssertionError
@pytest.mark.xfail(reason="broken (#1), until 2999-01-01")
def test_allowed(): raise AssertionError
"""
        )
    )
    assert done.returncode != 0
    failing = {line.split("::")[-1] for line in done.stderr.splitlines() if line.strip().startswith(("why:", "tests/"))}
    assert failing == {
        "test_xpass",
        "test_expired",
        "test_without_reference",
        "test_lenient_xpass",
        "test_skip",
        "test_failed",
    }


@pytest.mark.requirement("WU8-AC4")
@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("@pytest.mark.slwo\ndef test_a(): pass", "'slwo' not found in `markers` configuration option"),
        ("", "could not be run"),
    ],
)
def test_an_unknown_marker_and_an_empty_suite_fail(planted: Callable[[str], Path], module: str, said: str) -> None:
    done = prove(planted(module))
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


@pytest.mark.requirement("WU8-AC3", "WU8-AC6", "WU8-BC3")
def test_the_registry_names_every_mark_that_breaks_a_rule(planted: Callable[[str], Path], today: datetime) -> None:
    root = planted(
        """
pytestmark = pytest.mark.xfail(reason="the whole module (#1), until 2020-01-01")
def test_a(): raise AssertionError
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.xfail(strict=False, reason="two"))])
def test_b(x): raise AssertionError
"""
    )
    with pytest.raises(WrongStateError) as caught:
        xfails.audit(collected.collect(root), today.date())
    named = caught.value.why
    assert named.count("expired on 2020-01-01") == 3
    assert "test_b[2]: is not strict, has no tracking reference (#123 or a URL), has no last day" in named


@pytest.mark.requirement("WU8-AC5")
def test_unknown_uncovered_and_idle_are_all_listed(planted: Callable[[str], Path]) -> None:
    root = planted(f"{GOOD}@pytest.mark.requirement('WU8-AC77')\ndef test_typo(): pass\ndef test_idle(): pass")
    with pytest.raises(WrongStateError) as caught:
        traceability.audit(collected.collect(root), plan.load(), "local")
    why = caught.value.why
    assert "unknown criterion WU8-AC77: tests/e2e/test_planted.py::test_typo" in why
    assert "an e2e test that proves no criterion: tests/e2e/test_planted.py::test_idle" in why
    assert "due and without a test: WU1-AC1" in why
    assert "due and without a test: WU8-AC1" not in why


@pytest.mark.requirement("WU8-AC5")
def test_a_module_that_cannot_be_imported_is_no_empty_module(planted: Callable[[str], Path]) -> None:
    with pytest.raises(WrongStateError, match="cannot be collected") as caught:
        collected.collect(planted("import no_such_module"))
    assert "tests/e2e/test_planted.py" in caught.value.why


@pytest.fixture
def today() -> datetime:
    return datetime.now(UTC)

"""The whole way, with one child process for all of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError, NotReadyError, WrongStateError
from floe_ops.audits.dagster_api import audit, require_clean
from floe_ops.audits.dagster_api.model import Report, Row
from floe_ops.audits.dagster_api.table import summary, table

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "pkg/__init__.py": "",
    "pkg/good.py": "from dagster import asset\nfrom . import other\nprint('on standard output')\n",
    "pkg/other.py": "import dagster as dg\n@dg.asset(name='x')\ndef x() -> None: ...\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "loud.py": "import warnings\nwarnings.warn('mine', UserWarning)\n",
    "old.py": "from dagster import SourceAsset\n",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("audited")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return audit(folder)


def test_findings_are_those_planted(report: Report) -> None:
    assert {(row.file, row.lifecycle) for row in report.findings} == {
        ("exits.py", "import error"),
        ("loud.py", "warning"),
        ("old.py", "deprecated"),
    }
    assert report.files == len(FILES)
    assert report.libraries["dagster"].startswith("1.")


def test_rows_are_in_the_order_of_the_files_and_not_repeated(report: Report) -> None:
    places = [(row.file, row.line) for row in report.rows]
    assert places == sorted(places)
    assert len(report.rows) == len(set(report.rows))


def test_the_table_names_each_subject_once_a_file(report: Report) -> None:
    shown = table(report)
    assert shown.row_count == len({(row.file, row.subject, row.lifecycle, row.note) for row in report.rows})
    assert summary(report).startswith("6 files, 3 Dagster names, 1 parameters: 3 findings, 0 to watch (dagster 1.")


def test_a_report_with_findings_fails_and_names_ten_at_most() -> None:
    rows = [Row("a.py", line, "dagster.X", "", "missing", "", "fail", "gone") for line in range(1, 13)]
    with pytest.raises(WrongStateError) as caught:
        require_clean(Report("p", 1, {}, rows))
    assert caught.value.why.count("dagster.X") == 10
    assert caught.value.why.endswith("and 2 more")
    require_clean(Report("p", 1, {}, []))


def test_a_module_that_never_ends_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import threading\nthreading.Event().wait()\n", encoding="utf-8")
    with pytest.raises(NotReadyError, match="did not end"):
        audit(tmp_path, timeout=1.5)


def test_an_environment_without_dagster_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("import dagster\n", encoding="utf-8")
    fake = tmp_path / "shadow" / "dagster"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text("raise ImportError('no dagster here')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    with pytest.raises(MissingToolError, match="cannot load Dagster") as caught:
        audit(tmp_path / "a.py")
    assert "no dagster here" in caught.value.why

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import bandit_run

if TYPE_CHECKING:
    from pathlib import Path

MARK = "# no" + "sec"  # written apart, so that this file holds no such comment


def plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_medium_finding_in_source_and_in_tests_is_found_and_a_justified_one_is_not(tmp_path: Path) -> None:
    call = "import yaml\nyaml.load(open('x'), Loader=yaml.Loader)"
    plant(tmp_path, "packages/a/src/a.py", call)
    plant(tmp_path, "tests/test_a.py", call)
    plant(tmp_path, "tasks.py", f"{call}  {MARK} B506 - the file is our own")
    plant(tmp_path, "packages/.venv/lib/foreign.py", call)
    result = bandit_run.scan(tmp_path)
    assert [(issue.path, issue.line, issue.check) for issue in result.issues] == [
        ("packages/a/src/a.py", 2, "B506"),
        ("tests/test_a.py", 2, "B506"),
    ]
    assert result.files == 3


@pytest.mark.parametrize(
    ("comment", "good"),
    [
        ("B506 - the file is our own", True),
        ("B506, B108 - the file is our own", True),
        ("", False),
        ("B506", False),
        ("B506 -", False),
        ("B506 - ok", False),
        ("- the file is our own", False),
        ("yaml_load - the file is our own", False),
    ],
)
def test_a_nosec_needs_its_check_and_its_reason(tmp_path: Path, comment: str, *, good: bool) -> None:
    plant(tmp_path, "tasks.py", f'TEXT = "{MARK}"\nX = 1  {MARK} {comment}\n')
    assert [issue.line for issue in bandit_run.unjustified(tmp_path)] == ([] if good else [2])


def test_a_file_that_cannot_be_parsed_is_no_clean_file(tmp_path: Path) -> None:
    plant(tmp_path, "tasks.py", "def broken(:\n")
    with pytest.raises(WrongStateError, match="could not read every file") as caught:
        bandit_run.scan(tmp_path)
    assert "tasks.py" in caught.value.why

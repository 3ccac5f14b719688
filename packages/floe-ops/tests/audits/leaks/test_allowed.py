from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits.leaks import allowed
from floe_ops.audits.leaks.detector import Leak

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "[extend]\nuseDefault = true\n"
ENTRY = """
[[allowlists]]
description = "a word that a test plants and looks for"
condition = "AND"
paths = ['''^tests/x\\.py$''']
regexes = ['''^planted$''']
"""
COVERED = Leak("generic-api-key", "tests/x.py", 3, "planted")


def write(folder: Path, text: str) -> Path:
    (folder / allowed.FILE).write_text(text, encoding="utf-8")
    return folder


def test_a_project_without_the_file_allows_nothing(tmp_path: Path) -> None:
    assert allowed.load(tmp_path) == ()


def test_an_entry_covers_a_value_in_a_file_and_neither_alone(tmp_path: Path) -> None:
    entries = allowed.load(write(tmp_path, HEAD + ENTRY))
    others = [Leak("x", "tests/x.py", 3, "planted-too"), Leak("x", "src/tests/x.py", 3, "planted")]
    open_, unused = allowed.apply(entries, [COVERED, *others])
    assert (open_, unused) == (tuple(others), ())


def test_an_entry_that_covers_nothing_is_told(tmp_path: Path) -> None:
    entries = allowed.load(write(tmp_path, HEAD + ENTRY))
    assert allowed.apply(entries, []) == ((), entries)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + ENTRY.replace("a word that a test plants and looks for", "no"), "description"),
        (HEAD + ENTRY.replace("AND", "OR"), "condition"),
        (HEAD + ENTRY.replace("regexes = ['''^planted$''']", ""), "regexes"),
        (HEAD + ENTRY.replace("paths = ['''^tests/x\\.py$''']", "commits = ['abc']"), "commits"),
        (HEAD + ENTRY.replace("^planted$", "("), "unterminated subpattern"),
        (HEAD + "disabledRules = ['generic-api-key']", "extend.disabledRules"),
        ("title = 'no extend'", "extend"),
        ("[[rules]]\nid = 'generic-api-key'\n" + HEAD, "rules"),
        ("= 1", "Invalid"),
    ],
)
def test_a_file_that_allows_more_than_values_in_files_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WrongStateError) as caught:
        allowed.load(write(tmp_path, text))
    assert said in caught.value.why


def test_a_finding_never_shows_its_value() -> None:
    assert "planted" not in f"{COVERED} {COVERED!r}"

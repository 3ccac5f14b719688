from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits.leaks import detector

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "ghp_" + "0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk1Ll"  # nosec B105 - of no account, and not written in one piece


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", name)


def test_what_was_taken_out_again_is_in_the_history_and_on_every_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "a.txt", f"token = {TOKEN}\n")
    commit(tmp_path, "a.txt", "clean\n")
    git(tmp_path, "checkout", "-q", "-b", "side")
    commit(tmp_path, "b.txt", f"# gitleaks:allow token = {TOKEN}\n")
    git(tmp_path, "checkout", "-q", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "nothing to look at")
    leaks, commits = detector.history(tmp_path)
    assert {(leak.path, leak.line, len(leak.commit)) for leak in leaks} == {("a.txt", 1, 40), ("b.txt", 1, 40)}
    assert commits >= 3


def test_a_shallow_clone_is_no_history_unless_that_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "whole")
    commit(tmp_path / "whole", "a.txt", "1\n")
    commit(tmp_path / "whole", "a.txt", "2\n")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tmp_path / 'whole'}", "part")
    with pytest.raises(WrongStateError, match="only its last commits"):
        detector.history(tmp_path / "part")
    monkeypatch.setenv(detector.ALLOW_SHALLOW, "1")
    assert detector.history(tmp_path / "part") == ([], 1)
    assert detector.is_shallow(tmp_path / "part")


def test_a_folder_is_looked_at_and_proves_it(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(f"\ntoken = {TOKEN}\n", encoding="utf-8")
    assert [(leak.path, leak.line) for leak in detector.folder(tmp_path)] == [("x.txt", 2)]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("exit 126", "ended with 126"),
        ("echo '[]'", "did not find the token"),
        ("echo nonsense", "no JSON"),
        ("exit 1", "0 findings"),
    ],
)
def test_a_detector_that_does_not_look_is_no_clean_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, why: str
) -> None:
    fake = tmp_path / "gitleaks"
    fake.write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("FLOE_TOOL_GITLEAKS", str(fake))
    (tmp_path / "staged").mkdir()
    with pytest.raises(WrongStateError, match="did not look at everything") as caught:
        detector.folder(tmp_path / "staged")
    assert why in caught.value.why

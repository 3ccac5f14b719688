from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from floe_ops import inputs
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(alphabet="abc/._-", min_size=1, max_size=12).filter(lambda name: not name.startswith("/"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "kept.txt").write_text("kept")
    (tmp_path / "with space.txt").write_text("space")
    (tmp_path / "gone.txt").write_text("gone")
    (tmp_path / ".gitignore").write_text("ignored.txt\n")
    (tmp_path / "ignored.txt").write_text("ignored")
    git("add", "-A")
    return tmp_path


def test_tree_holds_tracked_and_new_files_and_leaves_out_ignored_and_deleted_ones(checkout: Path) -> None:
    (checkout / "gone.txt").unlink()
    (checkout / "new.txt").write_text("new")

    assert list(inputs.tree(checkout)) == [".gitignore", "kept.txt", "new.txt", "with space.txt"]


def test_a_hash_follows_content_and_not_the_state_of_the_index(checkout: Path) -> None:
    before = inputs.tree(checkout)
    (checkout / "kept.txt").write_text("changed")
    changed = inputs.tree(checkout)
    subprocess.run(["git", "add", "-A"], cwd=checkout, check=True)

    assert before["kept.txt"] != changed["kept.txt"]
    assert inputs.tree(checkout) == changed


def test_without_git_the_same_files_have_the_same_hashes(checkout: Path) -> None:
    with_git = inputs.tree(checkout)
    (checkout / ".git").rename(checkout.parent / f"{checkout.name}.git")
    (checkout / "ignored.txt").unlink()

    assert inputs.tree(checkout) == with_git


def test_a_script_that_can_no_longer_be_run_is_another_one(checkout: Path) -> None:
    before = inputs.tree(checkout)
    (checkout / "kept.txt").chmod(0o755)

    assert inputs.tree(checkout)["kept.txt"] != before["kept.txt"]


def test_where_git_does_not_answer_every_file_is_read(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "ignored.txt").unlink()
    whole = inputs.tree(checkout)
    monkeypatch.setenv("PATH", "/nowhere")

    assert inputs.tree(checkout) == whole
    assert "git does not answer" in capsys.readouterr().err


def test_select_takes_files_folders_and_globs_and_takes_away() -> None:
    paths = ["a.py", "demo/x/m.sql", "demo-2/y", "plugins/floe-a/src/a.py", "plugins/floe-a/README.md"]
    files = dict.fromkeys(paths, "0")

    assert list(inputs.select(files, ["demo"])) == ["demo/x/m.sql"]
    assert list(inputs.select(files, ["plugins/floe-*/src"])) == ["plugins/floe-a/src/a.py"]
    assert list(inputs.select(files, ["**", "!**.md", "!demo/"])) == ["a.py", "demo-2/y", "plugins/floe-a/src/a.py"]
    assert list(inputs.select(files, ["*.py"])) == ["a.py"]
    assert list(inputs.select(files, ["**.py"])) == ["a.py", "plugins/floe-a/src/a.py"]
    assert inputs.select(files, []) == {}


@given(st.dictionaries(NAMES, st.text(alphabet="0123", min_size=1), max_size=6), NAMES, st.text("4567", min_size=1))
def test_any_change_changes_the_digest(files: dict[str, str], name: str, content: str) -> None:
    assert inputs.digest(files) != inputs.digest({**files, name: content})
    assert inputs.digest(files, "a") != inputs.digest(files, "b")

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from floe_ops.targets.local.layout import Layout, write_private


def test_a_short_path_keeps_its_socket_in_the_project(tmp_path: Path) -> None:
    layout = Layout(Path("/srv/floe/.floe"))
    assert layout.socket == layout.run / "supervisor.sock"


def test_a_long_path_gets_a_short_socket_of_its_own() -> None:
    first = Layout(Path("/srv") / ("long" * 30) / ".floe")
    second = Layout(Path("/srv") / ("long" * 31) / ".floe")
    assert len(os.fsencode(first.socket)) < 85
    assert first.socket != second.socket


def test_the_limit_counts_bytes_and_not_letters() -> None:
    layout = Layout(Path("/srv") / ("ü" * 30) / ".floe")
    assert layout.sockets != layout.run


def test_folders_are_closed_to_others(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ".floe")
    layout.make()
    for folder in (layout.run, layout.specs, layout.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_private_file_is_private_even_over_an_open_one(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "platform.json"
    path.write_text("old", encoding="utf-8")

    def fail(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["platform.json"]
    assert path.read_text(encoding="utf-8") == "old"

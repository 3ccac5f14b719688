"""Programs that are no registry; the real one is in tests/e2e/test_cube_multiarch_e2e.py."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import psutil
import pytest
from floe_core.errors import MissingToolError, NotReadyError
from floe_ops.images import local_registry
from floe_ops.images.local_registry import serving

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, body: str) -> Path:
    path = folder / "crane"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def test_the_port_is_the_one_that_the_program_says(tmp_path: Path) -> None:
    before = len(children())
    with serving(program(tmp_path, "echo '2026/01/01 serving on port 4711' >&2; exec sleep 30")) as address:
        assert address == "127.0.0.1:4711"
        assert len(children()) == before + 1
    assert len(children()) == before


def test_a_program_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="ended at once") as caught, serving(program(tmp_path, "echo no >&2")):
        pass
    assert caught.value.why == "no"


def test_a_program_that_never_serves_is_ended_after_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_registry, "READY_S", 0.3)
    before = len(children())
    with pytest.raises(NotReadyError, match="does not serve"), serving(program(tmp_path, "exec sleep 30")):
        pass
    assert len(children()) == before


def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError), serving(tmp_path / "absent"):
        pass

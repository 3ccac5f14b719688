from __future__ import annotations

import shutil
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError, WrongStateError
from floe_ops import project
from floe_ops.audits import dagster_lock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uv's own check, to reach the comparison of versions."""
    monkeypatch.setattr(dagster_lock, "_check_with_uv", lambda _root: None)


def lock_with(folder: Path, version: str) -> Path:
    text = (project.root() / "uv.lock").read_text(encoding="utf-8")
    installed = metadata.version("dagster")
    found = f'name = "dagster"\nversion = "{installed}"'
    assert found in text
    (folder / "uv.lock").write_text(text.replace(found, f'name = "dagster"\nversion = "{version}"'), encoding="utf-8")
    return folder


def test_the_project_is_in_order() -> None:
    locked = dagster_lock.check_lock(project.root())
    assert locked.versions["dagster"] == metadata.version("dagster")
    assert locked.packages > 100
    assert "uv lock --check passes; dagster 1." in locked.sentence()


@pytest.mark.usefixtures("unchecked")
def test_another_installed_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongStateError, match="not the locked one") as caught:
        dagster_lock.check_lock(lock_with(tmp_path, "1.0.0"))
    assert f"dagster: {metadata.version('dagster')} installed, 1.0.0 locked" in caught.value.why


def test_libraries_that_do_not_fit_each_other_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dagster_lock, "_check_with_uv", lambda _root: None)
    real = metadata.requires
    monkeypatch.setattr(metadata, "requires", lambda name: ["dagster==0.1"] if name == "dagster-dbt" else real(name))
    shutil.copy(project.root() / "uv.lock", tmp_path)
    with pytest.raises(WrongStateError) as caught:
        dagster_lock.check_lock(tmp_path)
    assert "dagster-dbt wants dagster==0.1" in caught.value.why


@pytest.mark.usefixtures("unchecked")
def test_no_lock_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no lock"):
        dagster_lock.check_lock(tmp_path)


def test_no_uv_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(MissingToolError, match="cannot check the lock"):
        dagster_lock.check_lock(tmp_path)

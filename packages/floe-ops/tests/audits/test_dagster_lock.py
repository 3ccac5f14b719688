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


PROJECT = """\
[project]
name = "p"
dependencies = [
    "free>=1",
{above}    "dagster==1.13.27",
    "dagster-webserver==1.13.27",
    "dagster-dbt==0.29.27",
    "dagster-dlt==0.29.27",{beside}
]
"""


def project_with(root: Path, above: str = "    # they go together\n", beside: str = "", row: str = "| why |") -> Path:
    folder = root / dagster_lock.PLUGIN
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(above=above, beside=beside), encoding="utf-8")
    (root / "docs").mkdir()
    (root / "docs" / "decisions.md").write_text(f"| WU3-AC1 | planned | done {row}\n", encoding="utf-8")
    shutil.copy(project.root() / "uv.lock", root)
    return root


def test_the_projects_own_pins_are_exact_locked_and_explained() -> None:
    said = dagster_lock.check_pins(project.root())
    assert f"dagster=={metadata.version('dagster')}, " in said


def test_pins_with_their_reason_are_in_order(tmp_path: Path) -> None:
    assert dagster_lock.check_pins(project_with(tmp_path)).endswith("as locked; why")


def test_a_pin_without_a_reason_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongStateError) as caught:
        dagster_lock.check_pins(project_with(tmp_path, above="", beside="  # made for that dagster"))
    assert caught.value.why == "; ".join(
        f"the pin of {name} has no reason beside it" for name in ("dagster", "dagster-webserver", "dagster-dbt")
    )


def test_a_constraint_that_no_document_explains_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongStateError, match="not as documented") as caught:
        dagster_lock.check_pins(project_with(tmp_path, row="| |"))
    assert "no reason for WU3-AC1" in caught.value.why


def test_another_version_than_the_locks_and_an_open_bound_are_named(tmp_path: Path) -> None:
    file = project_with(tmp_path) / dagster_lock.PLUGIN / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("dagster==1.13.27", "dagster==1.13.29").replace("dbt==", "dbt>="), encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        dagster_lock.check_pins(tmp_path)
    assert "dagster is pinned at 1.13.29, locked at 1.13.27" in caught.value.why
    assert "dagster-dbt is not pinned exactly" in caught.value.why


def test_the_libraries_refuse_any_other_dagster_than_theirs() -> None:
    assert dagster_lock.refusals({}) == []
    said = dagster_lock.refusals({"dagster": "2.0.0"})
    assert [sentence.split(" wants dagster==")[0] for sentence in said] == list(dagster_lock.LIBRARIES[1:])

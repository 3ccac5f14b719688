"""WU-7: floors are a list with their advisories, met by the lock; a conflict names its pin; new ones join the list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import gate, lock
from floe_ops.audits.collected import outside_of_a_run
from floe_ops.audits.floors import listed

FLOOR = "leaf>=2.0"
DEAD = {"PIP_AUDIT_OSV_URL": "http://127.0.0.1:1/v1/query"}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what is planted is evidence of this project's state, and no index is asked."""
    monkeypatch.delenv("FLOE_RUN_DIR", raising=False)
    monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """Wheels: leaf 1.0 and 2.0, pinner that wants the old one, middle that wants pinner."""
    folder = tmp_path / "links"
    folder.mkdir()
    for name, version, wants in (
        ("leaf", "1.0", ""),
        ("leaf", "2.0", ""),
        ("pinner", "1.5", "leaf<2"),
        ("middle", "3.0", "pinner"),
    ):
        about = f"{name}-{version}.dist-info"
        requires = f"Requires-Dist: {wants}\n" if wants else ""
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return folder


def write(folder: Path, links: Path, *wanted: str, floors: str = "[]", more: str = "") -> Path:
    """A project that wants these packages, with these floors."""
    folder.mkdir(exist_ok=True)
    text = '[project]\nname = "planted"\nversion = "0"\nrequires-python = ">=3.11"\n'
    text += (
        f"dependencies = {json.dumps(wanted)}\n\n[tool.uv]\nno-index = true\nfind-links = [{json.dumps(str(links))}]\n"
    )
    (folder / "pyproject.toml").write_text(f"{text}constraint-dependencies = {floors}\n{more}", encoding="utf-8")
    return folder


def locked(project: Path) -> None:
    subprocess.run([lock.uv(), "lock", "--quiet"], cwd=project, check=True, timeout=60)


def refused(project: Path) -> str:
    with pytest.raises(WrongStateError) as caught:
        gate.floors(project)
    return caught.value.why


@pytest.mark.requirement("WU7-AC2", "WU7-AC5")
def test_the_floors_of_this_project_are_in_order_and_met(project_root: Path) -> None:
    seen, _ = gate.floors(project_root)
    assert "floors as a list, each with its advisory, no override-dependencies" in seen
    names = {floor.name for floor in listed.read(project_root).floors}
    assert {"pillow", "protobuf"} <= names
    assert "diskcache" in seen
    assert "diskcache" not in names


@pytest.mark.requirement("WU7-AC2")
@pytest.mark.parametrize(
    ("floors", "more", "why"),
    [
        (f'["{FLOOR}"]', "", "leaf>=2.0 does not say which advisory it is for"),
        (f'"{FLOOR}"', "", "constraint-dependencies is no list"),
        ('[\n    "leaf==2.0", # CVE-2026-1\n]', "", "'leaf==2.0' is no floor"),
        ("[]", 'override-dependencies = ["leaf>=2"]', "override-dependencies is never used"),
    ],
)
def test_a_list_that_is_not_in_order_is_refused(tmp_path: Path, links: Path, floors: str, more: str, why: str) -> None:
    assert why in refused(write(tmp_path / "planted", links, "leaf", floors=floors, more=more))


@pytest.mark.requirement("WU7-AC5")
def test_a_barred_package_in_the_lock_is_refused(tmp_path: Path, links: Path) -> None:
    project = write(tmp_path / "planted", links, "leaf")
    locked(project)
    entry = '[[barred]]\nid = "CVE-2026-1"\npackage = "leaf"\nfixed_in = ""\nreason = "no fix is published"\n'
    (project / "advisories.toml").write_text(entry, encoding="utf-8")
    assert "leaf 2.0 is in the lock and barred (CVE-2026-1): no fixed version exists" in refused(project)


@pytest.mark.requirement("WU7-AC5", "WU7-BC2")
@pytest.mark.parametrize(
    ("wanted", "floor", "why"),
    [
        ("middle", "2.0", "conflicts with pinner, which wants leaf<2"),
        ("leaf==1.0", "2.0", "conflicts with your project, which wants leaf==1.0"),
        ("leaf", "9.0", "cannot be met: only leaf<=2.0 is available"),
    ],
)
def test_a_floor_that_is_not_met_names_what_is_in_the_way(
    tmp_path: Path, links: Path, wanted: str, floor: str, why: str
) -> None:
    project = write(tmp_path / "planted", links, wanted)
    locked(project)
    write(project, links, wanted, floors=f'[\n    "leaf>={floor}", # CVE-2026-1\n]')
    assert f"leaf>={floor} (CVE-2026-1) {why}" in refused(project)


@pytest.mark.requirement("WU7-AC5")
def test_a_lock_that_is_behind_its_floor_is_told_how_to_be_renewed(tmp_path: Path, links: Path) -> None:
    project = write(tmp_path / "planted", links, "leaf<2")
    locked(project)
    write(project, links, "leaf", floors=f'[\n    "{FLOOR}", # CVE-2026-1\n]')
    assert refused(project) == "leaf>=2.0 is not met by the lock; run: uv lock --upgrade-package leaf"


@pytest.mark.requirement("WU7-BC3")
def test_a_new_advisory_goes_into_the_same_list_and_the_lock_follows(
    project_root: Path, tmp_path: Path, links: Path
) -> None:
    project = write(tmp_path / "planted", links, "leaf<2")
    locked(project)
    write(project, links, "leaf", floors='[\n    "zebra>=1.0", # CVE-2020-1\n]')
    (project / "noxfile.py").touch()
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]
    affected = [{"package": {"name": "leaf", "ecosystem": "PyPI"}, "ranges": ranges}]
    record = {"id": "PYSEC-2026-1", "modified": datetime.now(UTC).isoformat(), "affected": affected}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("PYSEC-2026-1.json", json.dumps(record))
    environ = {**outside_of_a_run(os.environ), **DEAD, "FLOE_ROOT": str(project), "FLOE_ADVISORIES": str(tmp_path)}

    def floors(*words: str) -> str:
        command = [sys.executable, "-m", "invoke", "security.floors", *words]
        return subprocess.run(
            command, cwd=project_root, env=environ, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    before = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert json.loads(floors("--json"))["proposed"] == [
        {"name": "leaf", "version": "2.0", "advisories": ["PYSEC-2026-1"]}
    ]
    assert (project / "pyproject.toml").read_text(encoding="utf-8") == before
    assert "written: leaf>=2.0 (PYSEC-2026-1)" in floors("--write")
    assert [str(floor) for floor in listed.read(project).floors] == [
        "leaf>=2.0 (PYSEC-2026-1)",
        "zebra>=1.0 (CVE-2020-1)",
    ]
    locked(project)
    assert "leaf>=2.0" in gate.floors(project)[0]

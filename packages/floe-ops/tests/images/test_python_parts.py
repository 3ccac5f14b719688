from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_ops import project
from floe_ops.images import layers, python_parts, rooted

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    (tmp_path / "one" / "src").mkdir(parents=True)
    (tmp_path / "one" / "src" / "a.py").write_text("a", encoding="utf-8")
    return tmp_path


def test_a_key_is_made_of_names_and_content(checkout: Path) -> None:
    first = python_parts.content_key([checkout / "one"])
    assert python_parts.content_key([checkout / "one"]) == first
    (checkout / "one/src/a.py").rename(checkout / "one/src/b.py")
    renamed = python_parts.content_key([checkout / "one"])
    (checkout / "one/src/b.py").write_text("b", encoding="utf-8")
    assert len({first, renamed, python_parts.content_key([checkout / "one"])}) == 3


def test_a_key_leaves_out_what_git_does_not_keep(checkout: Path) -> None:
    first = python_parts.content_key([checkout / "one"])
    for made in ("__pycache__/a.pyc", "target/manifest.json", "state.duckdb"):
        (checkout / "one" / made).parent.mkdir(exist_ok=True)
        (checkout / "one" / made).write_text("made", encoding="utf-8")
    assert python_parts.content_key([checkout / "one"]) == first
    (checkout / "one" / "tests").mkdir()
    (checkout / "one/tests/t.sql").write_text("a test of a product is part of it", encoding="utf-8")
    assert python_parts.content_key([checkout / "one"]) != first


def test_what_is_installed_is_tidied_and_its_programs_start_the_images_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    notes = site / "tool-1.dist-info"
    for folder in (notes, site / "bin", site / "pyarrow/include", site / "tool"):
        folder.mkdir(parents=True)
    (notes / "entry_points.txt").write_text("[console_scripts]\ntool = tool.cli:main\nother = x:y\n", encoding="utf-8")
    for file in (
        notes / "RECORD",
        notes / "METADATA",
        site / "bin/tool",
        site / "pyarrow/include/a.h",
        site / "tool/RECORD",
    ):
        file.write_text(str(tmp_path), encoding="utf-8")
    compiled: list[object] = []
    monkeypatch.setattr(rooted, "run", lambda *words, **more: compiled.append((words, more)))
    entries = {entry.path: entry for entry in python_parts.finish(site, tmp_path, ("tool", "absent"))}
    assert [path for path in entries if path.startswith(python_parts.SCRIPTS)] == [f"{python_parts.SCRIPTS}/tool"]
    script = entries[f"{python_parts.SCRIPTS}/tool"]
    assert script.content == b"#!/usr/bin/python3\nimport sys\nfrom tool.cli import main\n\nsys.exit(main())\n"
    assert script.mode == layers.PROGRAM
    kept = {path.removeprefix(f"{python_parts.SITE}/") for path in entries}
    assert {"tool-1.dist-info/METADATA", "tool/RECORD"} <= kept
    assert not kept & {"tool-1.dist-info/RECORD", "bin", "bin/tool", "pyarrow/include"}
    assert len(compiled) == 1


def test_the_version_is_the_projects() -> None:
    assert f'version = "{python_parts.version()}"' in (project.root() / "pyproject.toml").read_text(encoding="utf-8")

from __future__ import annotations

from importlib.metadata import distributions
from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import PluginType
from floe_core.registry import discover

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path, name: str, entry_points: str, version: str = "1.0.0") -> None:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(entry_points)


@pytest.mark.requirement("WU6-AC8")
def test_every_type_is_discovered_and_nothing_is_imported(tmp_path: Path) -> None:
    install(tmp_path, "all", "".join(f"[{kind.entry_point_group}]\nx = no.such.module:Plugin\n" for kind in PluginType))
    found = discover(distributions(path=[str(tmp_path)]))
    assert [entry.type for entry in found] == sorted(PluginType)
    assert {(entry.name, entry.target, entry.distribution, entry.version) for entry in found} == {
        ("x", "no.such.module:Plugin", "all", "1.0.0")
    }


def test_other_groups_are_left_alone(tmp_path: Path) -> None:
    install(tmp_path, "other", "[console_scripts]\nfloe.x = a:b\n[floe.unknown]\nx = a:b\n")
    assert discover(distributions(path=[str(tmp_path)])) == ()


def test_the_same_declaration_twice_counts_once(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        install(tmp_path / folder, "floe-x", "[floe.computes]\nx = a:B\n")
    found = discover(distributions(path=[str(tmp_path / "one"), str(tmp_path / "two")]))
    assert len(found) == 1

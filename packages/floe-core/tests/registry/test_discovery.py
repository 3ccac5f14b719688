from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from floe_core.plugins import PluginType
from floe_core.registry import (
    BrokenDeclarationError,
    DuplicatePluginError,
    PluginEntry,
    PluginNotFoundError,
    Registry,
    discover,
    scan,
)
from hypothesis import given
from hypothesis import strategies as st


def install(folder: Path, name: str, entry_points: str | bytes, version: str = "1.0.0") -> Path:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_bytes(entry_points.encode() if isinstance(entry_points, str) else entry_points)
    return info


def registry_of(folder: Path) -> Registry:
    return Registry(*scan(distributions(path=[str(folder)])))


@pytest.mark.requirement("WU6-AC8")
def test_every_type_is_discovered_and_nothing_is_imported(tmp_path: Path) -> None:
    install(tmp_path, "all", "".join(f"[{kind.entry_point_group}]\nx = no.such.module:Plugin\n" for kind in PluginType))
    found = discover(distributions(path=[str(tmp_path)]))
    assert [entry.type for entry in found] == sorted(PluginType)
    assert {(entry.name, entry.target, entry.distribution, entry.version, entry.flaw) for entry in found} == {
        ("x", "no.such.module:Plugin", "all", "1.0.0", "")
    }


def test_other_groups_are_left_alone(tmp_path: Path) -> None:
    install(tmp_path, "other", "[console_scripts]\nfloe.x = a:b\n[floe.unknown]\nx = a:b\n")
    assert discover(distributions(path=[str(tmp_path)])) == ()


def test_the_same_declaration_twice_counts_once(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        install(tmp_path / folder, "floe-x", "[floe.computes]\nx = a:B\n")
    found = discover(distributions(path=[str(tmp_path / "one"), str(tmp_path / "two")]))
    assert len(found) == 1


def test_two_versions_of_one_distribution_are_a_duplicate(tmp_path: Path) -> None:
    for version in ("1.0.0", "2.0.0"):
        install(tmp_path, "floe-x", "[floe.computes]\nx = a:B\n", version)
    with pytest.raises(DuplicatePluginError, match=r"floe-x 1\.0\.0 .* and floe-x 2\.0\.0 .*"):
        registry_of(tmp_path).find(PluginType.COMPUTE, "x")


def test_one_name_in_two_groups_of_one_distribution(tmp_path: Path) -> None:
    install(tmp_path, "both", "[floe.rbac]\nk8s = a:B\n[floe.secrets]\nk8s = a:C\n")
    registry = registry_of(tmp_path)
    found = [registry.find(kind, "k8s").target for kind in (PluginType.RBAC, PluginType.SECRETS)]
    assert found == ["a:B", "a:C"]


def test_extras_and_comments_are_no_part_of_the_target(tmp_path: Path) -> None:
    install(tmp_path, "x", "# ours\n[floe.rbac]\n# one\nx =  a.b:C.D [fast, safe]\n")
    assert registry_of(tmp_path).find(PluginType.RBAC, "x").target == "a.b:C.D"


def test_a_distribution_in_an_archive_is_found(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.writestr("x-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1.0.0\n")
        wheel.writestr("x-1.0.0.dist-info/entry_points.txt", "[floe.rbac]\nx = a:B\n")
    assert discover(distributions(path=[str(tmp_path / "x.whl")])) == (
        PluginEntry(PluginType.RBAC, "x", "a:B", "x", "1.0.0"),
    )


@pytest.mark.parametrize(
    ("line", "name", "flaw"),
    [
        ("bad", "bad", "not of the form name = module:Class"),
        ("bad =", "bad", "names '', and not module:Class"),
        ("bad = module", "bad", "names 'module'"),
        ("bad = 1module:Class", "bad", "names '1module:Class'"),
        ("bad = module:Cl ass", "bad", "names 'module:Cl ass'"),
        ("Bad Name = module:Class", "Bad Name", "no manifest can choose the name"),
    ],
)
def test_a_broken_line_hides_nothing_and_is_told(tmp_path: Path, line: str, name: str, flaw: str) -> None:
    install(tmp_path, "mixed", f"[floe.rbac]\n{line}\ngood = a:B\n")
    install(tmp_path, "other", "[floe.rbac]\nother = a:B\n")
    registry = registry_of(tmp_path)
    assert {entry.name for entry in registry.entries() if not entry.flaw} == {"good", "other"}
    with pytest.raises(BrokenDeclarationError) as caught:
        registry.load(PluginType.RBAC, name)
    assert flaw in caught.value.why
    assert (caught.value.where, caught.value.remedy) == ("mixed 1.0.0", "reinstall or repair mixed")


def test_bytes_that_are_no_text_hide_nothing_and_are_told(tmp_path: Path) -> None:
    install(tmp_path, "bytes", b"[floe.rbac]\nx = a:B\n\xff\xfe\n")
    install(tmp_path, "other", "[floe.rbac]\nother = a:B\n")
    registry = registry_of(tmp_path)
    assert registry.find(PluginType.RBAC, "other").distribution == "other"
    with pytest.raises(BrokenDeclarationError, match="not UTF-8"):
        registry.find(PluginType.RBAC, "x")


@pytest.mark.parametrize("metadata", [None, b"", b"Name: \xff\nVersion: 1\n", b"\nName: x\nVersion: 1.0.0\n"])
def test_a_distribution_without_a_name_is_told_by_its_folder(tmp_path: Path, metadata: bytes | None) -> None:
    file = install(tmp_path, "lost", "[floe.rbac]\nx = a:B\n") / "METADATA"
    file.unlink()
    if metadata is not None:
        file.write_bytes(metadata)
    with pytest.raises(BrokenDeclarationError, match="METADATA") as caught:
        registry_of(tmp_path).find(PluginType.RBAC, "x")
    assert metadata is not None or caught.value.where == "lost"


def test_a_distribution_that_cannot_be_read_is_told_when_its_plugin_is_asked_for(tmp_path: Path) -> None:
    silent = install(tmp_path, "floe-rbac-x", "")
    (silent / "entry_points.txt").unlink()
    (silent / "entry_points.txt").mkdir()  # root may read everything but a folder
    install(tmp_path, "other", "[floe.rbac]\nother = a:B\n")
    registry = registry_of(tmp_path)
    assert [one.where for one in registry.unreadable] == [str(silent)]
    assert registry.find(PluginType.RBAC, "other").distribution == "other"
    with pytest.raises(BrokenDeclarationError, match="Is a directory"):
        registry.find(PluginType.RBAC, "x")
    with pytest.raises(PluginNotFoundError, match=f"not readable: {silent}"):
        registry.find(PluginType.COMPUTE, "y")


def test_a_link_that_leads_nowhere_is_no_declaration(tmp_path: Path) -> None:
    info = install(tmp_path, "x", "")
    (info / "entry_points.txt").unlink()
    (info / "entry_points.txt").symlink_to(info / "gone")
    assert scan(distributions(path=[str(tmp_path)])) == ((), ())


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_no_bytes_break_discovery(
    tmp_path_factory: pytest.TempPathFactory, entry_points: bytes, metadata: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    info = install(folder, "x", b"[floe.rbac]\n" + entry_points)
    (info / "METADATA").write_bytes(metadata)
    registry = registry_of(folder)
    for entry in registry.entries():
        assert entry.flaw or (entry.distribution and entry.version)

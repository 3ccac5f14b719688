"""What machines lack; the look at the machine is replaced where it would need another machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from bare_cluster import machine
from floe_core.errors import ExitCode, MissingToolError

ALL_RIGHTS = (1 << 41) - 1


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that lacks nothing; its folder of CNI plugins."""
    plugins = tmp_path / "cni"
    plugins.mkdir()
    for name in machine.CNI_PROGRAMS:
        (plugins / name).touch()
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(machine, "capabilities", lambda: ALL_RIGHTS)
    monkeypatch.setattr(machine, "CNI_FOLDERS", (str(plugins),))
    monkeypatch.setattr(machine, "find", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "_file_systems", lambda: {"overlay"})
    monkeypatch.setattr(machine, "_has_groups", lambda: True)
    monkeypatch.setattr(machine, "_load", lambda _module: False)
    monkeypatch.setattr(machine, "FREE_MEMORY_MIB", 0)
    monkeypatch.setattr(machine, "FREE_DISK_MIB", 0)
    return plugins


def test_a_machine_that_has_everything_is_taken(able: Path, tmp_path: Path) -> None:
    assert machine.lacks(tmp_path / "not/there/yet") == []
    machine.check(tmp_path)


def test_another_system_is_sent_to_kind(able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    (lack,) = machine.lacks(tmp_path)
    assert "Linux" in lack.what
    assert "kind create cluster" in lack.remedy


def test_who_is_not_root_is_told_how_to_be(able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (lack,) = machine.lacks(tmp_path)
    assert "sudo" in lack.remedy


@pytest.mark.parametrize(("bit", "name"), [(21, "CAP_SYS_ADMIN"), (12, "CAP_NET_ADMIN")])
def test_root_without_a_right_is_not_enough(
    able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bit: int, name: str
) -> None:
    monkeypatch.setattr(machine, "capabilities", lambda: ALL_RIGHTS & ~(1 << bit))
    assert [lack.what for lack in machine.lacks(tmp_path)] == [name]


def test_programs_that_are_missing_are_told_with_their_packages(
    able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "find", lambda _name: None)
    (able / "portmap").unlink()
    packages = {lack.package for lack in machine.lacks(tmp_path)}
    needed = {"containerd", "runc", "iptables", "iproute2", "mount", "containernetworking-plugins"}
    assert packages == needed | {"mmdebstrap"}
    assert {lack.package for lack in machine.lacks(tmp_path, makes_images=False)} == needed


def test_a_refusal_tells_all_of_it(able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_file_systems", set)
    (able / "bridge").unlink()
    with pytest.raises(MissingToolError, match="cannot run a cluster yet") as refused:
        machine.check(tmp_path)
    assert refused.value.exit_code == ExitCode.MISSING
    assert "CNI" in refused.value.where
    assert "overlay" in refused.value.where
    assert "modprobe overlay" in refused.value.remedy


def test_a_kernel_without_groups_is_told(able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_has_groups", lambda: False)
    assert [lack.what for lack in machine.lacks(tmp_path)] == ["control groups"]


def test_memory_and_disk_are_looked_at(able: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FREE_MEMORY_MIB", 2048)
    monkeypatch.setattr(machine, "FREE_DISK_MIB", 3072)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1 << 30))
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1 << 30))
    told = [lack.what for lack in machine.lacks(tmp_path)]
    assert [each.split(":")[0] for each in told] == ["memory", "disk"]
    assert "1024 MiB are free of the 2048" in told[0]
    assert machine.lacks(tmp_path, room=False) == []  # a cluster that is joined has its own already


def test_installing_needs_root_and_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find", lambda _name: None)
    with pytest.raises(MissingToolError, match="cannot be installed") as refused:
        machine.install(["runc"])
    assert refused.value.where == "runc"

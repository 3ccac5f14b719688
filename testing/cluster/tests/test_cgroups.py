"""Hierarchies as kernels and containers show them, and groups made in folders that stand for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from bare_cluster import cgroups
from bare_cluster.cgroups import Hierarchy

FIRST = """\
30 25 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpuacct,cpu
35 30 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 30 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd
37 30 0:34 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
SECOND = "30 25 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
OWN = "4:memory:/session/9\n3:cpu,cpuacct:/\n1:name=systemd:/user.slice\n0::/\n"


def test_version_one_is_taken_below_the_callers_own_group() -> None:
    found = cgroups.parse(FIRST, OWN)
    assert [(each.base, each.options) for each in found] == [
        (Path("/sys/fs/cgroup/cpu,cpuacct"), "cpuacct,cpu"),
        (Path("/sys/fs/cgroup/memory/session/9"), "memory"),
        (Path("/sys/fs/cgroup/systemd/user.slice"), "none,name=systemd"),
    ]
    assert not any(each.unified for each in found)


def test_version_two_is_taken_at_the_top() -> None:
    (found,) = cgroups.parse(SECOND, "0::/user.slice/session-3.scope\n")
    assert found == Hierarchy(Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup"), "")
    assert found.unified


@pytest.mark.parametrize(
    ("root", "group", "below"),
    [
        ("/", "/session/9", "session/9"),
        ("/docker/1", "/docker/1", ""),
        ("/docker/1", "/docker/1/x", "x"),
        ("/a", "/b", ""),
    ],
)
def test_a_mount_may_show_a_part_only(root: str, group: str, below: str) -> None:
    mounts = f"35 30 0:32 {root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    (found,) = cgroups.parse(mounts, f"4:memory:{group}\n")
    assert found.base == Path("/sys/fs/cgroup/memory", below)


def test_a_group_of_cpusets_gets_those_of_its_parent(tmp_path: Path) -> None:
    (tmp_path / "cpuset.cpus").write_text("0-1\n", encoding="ascii")
    (tmp_path / "cpuset.mems").write_text("0\n", encoding="ascii")
    (folder,) = cgroups.make("floe-bare-7", [Hierarchy(tmp_path, tmp_path, "cpuset")])
    assert (folder / "cpuset.cpus").read_text(encoding="ascii") == "0-1\n"
    assert (folder / "cpuset.mems").read_text(encoding="ascii") == "0\n"


def test_version_two_hands_controllers_on(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory misc\n", encoding="ascii")
    (folder,) = cgroups.make("floe-bare-7", [Hierarchy(tmp_path, tmp_path, "")])
    assert folder.is_dir()
    assert (tmp_path / "cgroup.subtree_control").read_text(encoding="ascii") == "+memory"  # the last one written


def test_a_group_goes_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "floe-bare-7/kubepods/burstable/pod1").mkdir(parents=True)
    groups = cgroups.folders("floe-bare-7", [Hierarchy(tmp_path, tmp_path, "memory")])
    cgroups.remove(groups)
    assert list(tmp_path.iterdir()) == []
    cgroups.remove(groups)


def test_a_group_that_somebody_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups._remove.retry, "stop", lambda _state: True)
    (tmp_path / "floe-bare-7").mkdir()
    (tmp_path / "floe-bare-7/held").touch()
    with pytest.raises(OSError, match="not empty"):
        cgroups.remove([tmp_path / "floe-bare-7"])

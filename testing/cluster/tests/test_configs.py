from __future__ import annotations

import json
import tomllib
from dataclasses import replace

import pytest
import yaml
from bare_cluster import configs
from bare_cluster.configs import Machine
from bare_cluster.layout import Layout
from bare_cluster.settings import Settings

GIBI = 1 << 30


def test_containerd_finds_its_folders_and_the_pause_image(settings: Settings, machine: Machine) -> None:
    found = tomllib.loads(configs.containerd(settings, machine))
    cri = found["plugins"]["io.containerd.grpc.v1.cri"]
    assert found["root"] == "/run/bare-cluster/containerd"
    assert cri["sandbox_image"] == "localhost/pause:1"
    assert cri["cni"] == {"bin_dir": "/usr/lib/cni", "conf_dir": "/run/bare-cluster/etc/cni"}
    assert cri["restrict_oom_score_adj"] is False
    assert "io.containerd.internal.v1.opt" in found["disabled_plugins"]


def test_containerd_does_not_ask_for_what_it_may_not(settings: Settings, machine: Machine) -> None:
    found = tomllib.loads(configs.containerd(settings, replace(machine, may_raise=False)))
    assert found["plugins"]["io.containerd.grpc.v1.cri"]["restrict_oom_score_adj"] is True


def test_a_value_cannot_break_out_of_its_string(settings: Settings, machine: Machine) -> None:
    odd = settings.model_copy(update={"pause": 'a"\n[evil]\nx = "\\'})
    found = tomllib.loads(configs.containerd(odd, machine))
    assert found["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"] == odd.pause
    assert "evil" not in found


def test_the_kubelet_is_closed_and_knows_the_dns(settings: Settings, machine: Machine) -> None:
    found = yaml.safe_load(configs.kubelet(settings, machine))
    assert found["authentication"]["anonymous"] == {"enabled": False}
    assert found["authorization"] == {"mode": "Webhook"}
    assert found["clusterDNS"] == ["10.201.7.10"]
    assert found["systemReserved"] == {"cpu": "6000m", "memory": f"{28 * 1024 - 100}Mi"}


@pytest.mark.parametrize(
    ("cpus", "memory_gib", "reserved"),
    [
        (2, 4, {"cpu": "0m", "memory": "3996Mi"}),
        (1.5, 2.5, {"cpu": "500m", "memory": "5532Mi"}),
        (4, 16, {"cpu": "0m", "memory": "0Mi"}),
    ],
)
def test_the_node_is_as_small_as_was_asked(
    settings: Settings, cpus: float, memory_gib: float, reserved: dict[str, str]
) -> None:
    asked = settings.model_copy(update={"cpus": cpus, "memory_gib": memory_gib})
    machine = Machine(cpus=2, memory=8 * GIBI, cni_programs="", may_raise=True)
    assert configs.reserved(asked, machine) == reserved


def test_pods_get_addresses_of_their_cluster(settings: Settings) -> None:
    bridge, ports = json.loads(configs.cni(settings))["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.200.7.0/24"}]]
    assert ports["type"] == "portmap"


def test_all_files_are_written(place: Layout, settings: Settings, machine: Machine) -> None:
    configs.write(place, settings, machine)
    assert (place.configs / "resolv.conf").read_text(encoding="utf-8") == "nameserver 10.201.7.10\n"
    assert [path.name for path in place.cni.iterdir()] == ["10-bridge.conflist"]
    assert {path.name for path in place.configs.iterdir()} == {"containerd.toml", "kubelet.yaml", "cni", "resolv.conf"}

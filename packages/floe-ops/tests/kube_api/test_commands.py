"""How the programs are started; that they do start so is shown in tests/e2e/test_rbac_k8s_e2e.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from floe_ops import project
from floe_ops.kube_api import commands
from floe_ops.kube_api.commands import API, ETCD, ETCD_PEER, Keys
from floe_ops.toolchain import TOOLS

PORTS = {ETCD: 1001, ETCD_PEER: 1002, API: 1003}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.make(tmp_path)


def test_etcd_and_the_api_server_do_not_trust_the_same_authority(keys: Keys) -> None:
    assert keys.etcd_ca.read_bytes() != keys.ca.read_bytes()
    etcd, server = commands.etcd(keys, PORTS, Path("data")), commands.api_server(keys, PORTS, Path("run"))
    assert f"--trusted-ca-file={keys.etcd_ca}" in etcd
    assert f"--client-ca-file={keys.ca}" in server


def test_nothing_listens_but_on_loopback_and_with_certificates(keys: Keys) -> None:
    etcd, server = commands.etcd(keys, PORTS, Path("data")), commands.api_server(keys, PORTS, Path("run"))
    urls = re.findall(r"https?://[^,\s]+", " ".join(etcd))
    assert set(urls) == {"https://127.0.0.1:1001", "https://127.0.0.1:1002"}
    assert {"--client-cert-auth=true", "--peer-client-cert-auth=true"} <= set(etcd)
    assert {"--bind-address=127.0.0.1", "--secure-port=1003", "--anonymous-auth=false"} <= set(server)
    assert "--authorization-mode=RBAC" in server


def test_no_key_is_on_a_command_line(keys: Keys, tmp_path: Path) -> None:
    shown = " ".join(commands.etcd(keys, PORTS, Path("data")) + commands.api_server(keys, PORTS, Path("run")))
    files = list(tmp_path.glob("*.key"))
    assert len(files) == 4
    assert not any(line in shown for file in files for line in file.read_text(encoding="ascii").splitlines())


def test_the_version_that_the_program_tells_is_the_one_that_is_pinned() -> None:
    folder = project.root() / "toolchain" / "go" / "kubernetes"
    pinned = re.search(r"^\tk8s\.io/kubernetes (v1\.(\d+)\.\d+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    assert pinned is not None
    stamps = dict(stamp.split("=") for stamp in TOOLS["kubernetes"].stamps)
    for package in ("component-base", "client-go/pkg"):
        told = {name: stamps[f"k8s.io/{package}/version.{name}"] for name in ("gitVersion", "gitMajor", "gitMinor")}
        assert told == {"gitVersion": pinned[1], "gitMajor": "1", "gitMinor": pinned[2]}


def test_all_parts_of_kubernetes_are_of_one_release() -> None:
    text = (project.root() / "toolchain" / "go" / "kubernetes" / "go.mod").read_text()
    release = re.search(r"^\tk8s\.io/kubernetes v1\.(\S+)$", text, re.MULTILINE)
    assert release is not None
    parts = re.findall(r"^\t(k8s\.io/\S+) => (k8s\.io/\S+) (\S+)$", text, re.MULTILINE)
    assert len(parts) > 25
    assert {(name == target, version) for name, target, version in parts} == {(True, f"v0.{release[1]}")}


def test_only_what_is_stamped_is_built_otherwise() -> None:
    flags = {name: tool.flags for name, tool in TOOLS.items()}
    assert "-ldflags=-s" in flags["crane"]
    assert any(flag.startswith("-ldflags=-s -X k8s.io/") for flag in flags["kubernetes"])

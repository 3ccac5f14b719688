from __future__ import annotations

from pathlib import Path

from bare_cluster import daemons, plan
from bare_cluster.settings import Settings


def options(command: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").split("=", 1) for word in command if "=" in word)


def test_all_daemons_are_started_in_two_waves(settings: Settings) -> None:
    assert list(daemons.first(settings)) == ["containerd", "etcd", "kube-apiserver"]
    assert list(daemons.second(settings)) == ["kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"]


def test_the_api_server_knows_nobody_without_a_certificate_and_lets_node_and_rbac_decide(settings: Settings) -> None:
    found = options(daemons.first(settings)["kube-apiserver"])
    assert found["anonymous-auth"] == "false"
    assert found["authorization-mode"] == "Node,RBAC"
    assert found["enable-admission-plugins"] == "NodeRestriction"
    assert found["service-cluster-ip-range"] == "10.201.7.0/24"
    assert found["etcd-servers"] == "https://127.0.0.1:2379"


def test_etcd_asks_for_certificates_and_does_not_wait_for_the_disk(settings: Settings) -> None:
    found = options(daemons.first(settings)["etcd"])
    assert found["client-cert-auth"] == "true"
    assert found["unsafe-no-fsync"] == "true"
    assert found["data-dir"] == "/run/bare-cluster/etcd"


def test_every_path_is_one_inside_of_the_namespaces(settings: Settings) -> None:
    commands = [*daemons.first(settings).values(), *daemons.second(settings).values()]
    values = (word.split("=", 1)[-1] for command in commands for word in command)
    paths = {Path(value) for value in values if value.startswith("/")}
    assert {path for path in paths if not path.is_relative_to("/run")} == {settings.program}


def test_a_plan_is_read_as_it_was_written(tmp_path: Path, settings: Settings) -> None:
    made = plan.make(settings)
    plan.write(tmp_path / "plan.json", made)
    assert plan.read(tmp_path / "plan.json") == made
    assert ["ip", "route", "add", "default", "via", "10.99.7.1"] in made.commands
    assert ["ip", "rule", "add", "iif", "cni0", "to", "10.201.7.0/24", "unreachable"] in made.commands

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml
from bare_cluster import addons
from bare_cluster.settings import Settings

VERSION = "1.34"
REFERENCES = {
    "pause": "localhost/pause:1",
    "coredns": "localhost/coredns:2",
    "local-path-provisioner": "localhost/local-path-provisioner:3",
    "busybox": "localhost/busybox:4",
}


@pytest.fixture
def manifests(settings: Settings) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(addons.render(settings, REFERENCES)))


def of(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def test_every_manifest_is_what_the_api_takes(manifests: list[dict[str, Any]]) -> None:
    assert len(manifests) == 15
    for each in manifests:
        kubernetes_validate.validate(each, VERSION, strict=True)


def test_the_dns_is_where_the_kubelet_tells_pods(manifests: list[dict[str, Any]]) -> None:
    assert of(manifests, "Service")["kube-dns"]["spec"]["clusterIP"] == "10.201.7.10"


def test_the_deployments_are_those_that_are_waited_for(manifests: list[dict[str, Any]]) -> None:
    found = {name: each["metadata"]["namespace"] for name, each in of(manifests, "Deployment").items()}
    assert found == addons.DEPLOYMENTS


@pytest.mark.parametrize("name", sorted(addons.DEPLOYMENTS))
def test_its_pods_would_pass_restricted(manifests: list[dict[str, Any]], name: str) -> None:
    pod = of(manifests, "Deployment")[name]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["image"] == REFERENCES[name]
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_volumes_are_made_in_the_state_folder_by_the_helper_image(manifests: list[dict[str, Any]]) -> None:
    data = of(manifests, "ConfigMap")["local-path-config"]["data"]
    assert yaml.safe_load(data["config.json"])["nodePathMap"][0]["paths"] == ["/run/bare-cluster/volumes"]
    helper = yaml.safe_load(data["helperPod.yaml"])
    assert [each["image"] for each in helper["spec"]["containers"]] == ["localhost/busybox:4"]


def test_one_storage_class_is_the_default(manifests: list[dict[str, Any]]) -> None:
    (found,) = of(manifests, "StorageClass").values()
    assert found["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_no_proxy_stands_between_kubectl_and_the_cluster(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("NO_PROXY", "here")
    found = addons.environment(tmp_path / "k", settings)
    assert found["NO_PROXY"] == found["no_proxy"] == "here,10.99.7.0/30,10.200.7.0/24,10.201.7.0/24"
    assert found["KUBECONFIG"] == str(tmp_path / "k")

"""The client against a real API server; what only a cluster with nodes shows is read from documents it once gave."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import CredentialsRefusedError, MissingToolError, NotReadyError, UsageError, WrongStateError
from floe_ops.clients import kubernetes_objects as objects
from floe_ops.clients.kubernetes import RESTRICTED, Access, Kubernetes, ObjectNotFoundError
from floe_ops.kube_api.server import api_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.kube_api.server import ApiServer

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "strict"},
    "spec": {"containers": [{"name": "c", "image": "localhost/none:1"}]},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("kube-api")) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(server: ApiServer) -> Kubernetes:
    client = Kubernetes(Access(server.kubeconfig, "floe"))
    client.ensure_namespace("strict", RESTRICTED)
    for namespace in ("strict", "open"):  # no controller runs that would make the account that pods need
        client.ensure_namespace(namespace, {})
        metadata = {"name": "default", "namespace": namespace}
        client.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    return client


def test_says_version_and_url(server: ApiServer, cluster: Kubernetes) -> None:
    assert cluster.version().startswith("v1.")
    assert cluster.url == server.url


def test_a_namespace_is_made_once_and_gets_the_labels_that_it_lacks(cluster: Kubernetes) -> None:
    assert cluster.ensure_namespace("made", {"team": "a"})
    assert not cluster.ensure_namespace("made", RESTRICTED)
    there = cluster.namespace("made")
    assert there is not None
    assert there["metadata"]["labels"].items() >= {"team": "a", **RESTRICTED}.items()


def test_a_restricted_namespace_refuses_a_pod_that_is_not(cluster: Kubernetes) -> None:
    with pytest.raises(WrongStateError, match="refuses the object") as refused:
        cluster.request("POST", "/api/v1/namespaces/strict/pods", POD)
    assert "violates PodSecurity" in refused.value.why
    assert "/namespaces/strict/pods" in refused.value.where


def test_apply_makes_changes_and_a_dry_run_stores_nothing(cluster: Kubernetes) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "strict"},
        "data": {"password": base64.b64encode(b"value-of-a-test").decode()},
    }
    cluster.apply(document, dry_run=True)
    assert cluster.secret("strict", "s") is None
    cluster.apply(document)
    assert cluster.secret("strict", "s") == {"password": "value-of-a-test"}  # nosec B105 - of a test
    with pytest.raises(WrongStateError):
        cluster.apply({**document, "spec": {}, "data": {"x": "not base64!"}}, dry_run=True)
    with pytest.raises(ObjectNotFoundError, match="no Nothing of v1"):
        cluster.apply({**document, "kind": "Nothing"})


def test_pods_and_events_are_found_by_their_selector(cluster: Kubernetes) -> None:
    pod = {**POD, "metadata": {"name": "p", "namespace": "open", "labels": {objects.COMPONENT: "otel"}}}
    cluster.apply(pod)
    assert [one.component for one in cluster.pods("open", f"{objects.COMPONENT}=otel")] == ["otel"]
    assert cluster.pods("open", f"{objects.COMPONENT}=jaeger") == []
    assert cluster.events("open") == []
    assert cluster.logs("open", "p", "c") == ""  # it never ran: there is no log, and that is no failure


def test_a_namespace_that_does_not_go_is_named_with_its_reason(cluster: Kubernetes) -> None:
    cluster.delete_namespace("never-there", 0.1)
    cluster.ensure_namespace("stays", {})  # no controller runs that would end it
    with pytest.raises(NotReadyError, match="stays is not gone"):
        cluster.delete_namespace("stays", 0.2)


def test_a_user_whom_the_cluster_does_not_know_is_refused(server: ApiServer, tmp_path: Path) -> None:
    with pytest.raises(CredentialsRefusedError, match="refuses") as refused:
        Kubernetes(Access(_with_token(server, tmp_path), "floe")).nodes()
    assert "context floe" in refused.value.where


def _with_token(server: ApiServer, folder: Path) -> Path:
    import yaml

    config = yaml.safe_load(server.kubeconfig.read_text(encoding="utf-8"))
    config["users"][0]["user"] = {"token": "nobody"}  # nosec B105 - of a test
    path = folder / "other.kubeconfig"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def test_a_context_that_is_none_and_a_server_that_is_gone(server: ApiServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kubeconfig cannot be used"):
        Kubernetes(Access(server.kubeconfig, "nowhere")).version()
    with pytest.raises(UsageError, match="kubeconfig cannot be used"):
        Kubernetes(Access(tmp_path / "none", "floe")).version()
    gone = tmp_path / "gone"
    gone.write_text(server.kubeconfig.read_text(encoding="utf-8").replace(server.url, "https://127.0.0.1:9"), "utf-8")
    with pytest.raises(MissingToolError, match="does not answer") as missing:
        Kubernetes(Access(gone, "floe")).version()
    assert "refused" in missing.value.why


@pytest.mark.parametrize(
    ("text", "value"), [("250m", 0.25), ("2", 2.0), ("128Mi", 128 * 2**20), ("1G", 1e9), ("2465Ki", 2465 * 1024)]
)
def test_quantities(text: str, value: float) -> None:
    assert objects.quantity(text) == pytest.approx(value)


def test_a_pod_says_why_it_is_not_ready() -> None:
    pod = objects.read_pod(
        {
            "metadata": {"name": "p", "labels": {objects.COMPONENT: "polaris"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
            "status": {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}],
                "containerStatuses": [
                    {
                        "name": "c",
                        "ready": False,
                        "restartCount": 3,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                    }
                ],
            },
        }
    )
    assert (pod.component, pod.ready, pod.unschedulable) == ("polaris", False, "0/1 nodes are available")
    container = pod.containers[0]
    assert (pod.restarts, container.reason, container.last_reason) == (3, "CrashLoopBackOff", "OOMKilled")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"observedGeneration": 1}, "has not seen"),
        ({"observedGeneration": 2, "updatedReplicas": 0}, "newest revision"),
        ({"observedGeneration": 2, "updatedReplicas": 1}, "0 of 1 pods are ready"),
        ({"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 1, "replicas": 2}, "revision before"),
        ({"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 1, "replicas": 1}, ""),
    ],
)
def test_a_workload_is_rolled_out_when_all_its_pods_are_new_and_ready(status: dict[str, int], why: str) -> None:
    document = {"metadata": {"name": "w", "generation": 2}, "spec": {"replicas": 1}, "status": status}
    found = objects.read_workload("Deployment", document).why
    assert why in found
    assert bool(why) == bool(found)

"""What a release lacks, on a real API server whose workloads are set by hand, there being no controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from floe_ops.clients.kubernetes import MERGE, Access, Kubernetes
from floe_ops.kube_api.server import api_server
from floe_ops.targets.cluster import progress, status
from floe_ops.targets.cluster.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

CHOSEN = settings()
ROOT = f"/apis/apps/v1/namespaces/{CHOSEN.namespace}/deployments"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    with api_server(tmp_path_factory.mktemp("api")) as server:
        client = Kubernetes(Access(server.kubeconfig, "floe"))
        client.ensure_namespace(CHOSEN.namespace, {})
        yield client


@pytest.fixture
def deployment(cluster: Kubernetes) -> Iterator[str]:
    """A Deployment of the release, component `polaris`, that nobody has looked at yet."""
    labels = dict(pair.split("=") for pair in CHOSEN.selector.split(","))
    labels["app.kubernetes.io/component"] = "polaris"
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "localhost/none:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "floe-polaris", "labels": labels, "namespace": CHOSEN.namespace}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    yield "floe-polaris"
    cluster.request("DELETE", f"{ROOT}/floe-polaris")


def settle(cluster: Kubernetes, ready: int, **changes: Any) -> None:
    """Say what a controller would say."""
    seen = cluster.request("PATCH", f"{ROOT}/floe-polaris", changes, kind=MERGE)["metadata"]["generation"]
    said = {"observedGeneration": seen, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready}
    cluster.request("PATCH", f"{ROOT}/floe-polaris/status", {"status": said}, kind=MERGE)


def test_a_release_without_workloads_is_not_there(cluster: Kubernetes) -> None:
    assert progress.missing(cluster, CHOSEN) == ["it has no workloads"]


def test_each_workload_says_what_it_lacks(cluster: Kubernetes, deployment: str) -> None:
    assert progress.missing(cluster, CHOSEN) == ["polaris: its controller has not seen it yet"]
    settle(cluster, ready=0)
    assert progress.missing(cluster, CHOSEN) == ["polaris: 0 of 1 pods are ready"]
    settle(cluster, ready=1)
    assert progress.missing(cluster, CHOSEN) == []


def test_scaled_to_nothing_is_not_there(cluster: Kubernetes, deployment: str) -> None:
    settle(cluster, ready=1, spec={"replicas": 0})
    assert "polaris is scaled to nothing" in progress.missing(cluster, CHOSEN)
    (row,) = [row for row in status.look(cluster, CHOSEN, None) if row.name == "polaris"]
    assert (row.state, row.detail) == ("down", "scaled to nothing")


def test_a_wait_ends_with_what_is_missing_or_nothing(cluster: Kubernetes, deployment: str) -> None:
    settle(cluster, ready=0)
    assert progress.until_ready(cluster, CHOSEN, 0.2) == "polaris: 0 of 1 pods are ready"
    settle(cluster, ready=1)
    assert progress.until_ready(cluster, CHOSEN, 5) == ""


def test_only_what_becomes_ready_meanwhile_is_told(cluster: Kubernetes, deployment: str) -> None:
    settle(cluster, ready=1)
    said: list[str] = []
    with progress.watching(cluster, CHOSEN, said.append) as watch:
        watch.look()
        assert watch.took == {}  # it was ready before
        settle(cluster, ready=0)
        watch.look()
        settle(cluster, ready=1)
    assert list(watch.took) == ["polaris"]
    assert len(said) == 1
    assert "polaris" in said[0]


def test_rows_come_in_the_order_of_the_services_and_the_forwards_last(cluster: Kubernetes, deployment: str) -> None:
    settle(cluster, ready=0)
    rows = status.look(cluster, CHOSEN, None)
    assert [(row.name, row.state) for row in rows] == [("polaris", "starting"), ("forwards", "down")]

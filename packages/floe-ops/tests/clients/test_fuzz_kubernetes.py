"""Whatever answers in the place of an API server, and whatever stands in a kubeconfig."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_core.testing.receiver import Receiver, receiving, reply
from floe_ops.clients.kubernetes import Access, Kubernetes
from hypothesis import given, settings
from hypothesis import strategies as st

META = {"name": "x", "labels": {"app.kubernetes.io/component": "otel"}, "creationTimestamp": "t", "generation": 1}
CONDITIONS = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "False", "message": "m"}]
STATE = {
    "name": "c", "ready": True, "restartCount": 1, "state": {"waiting": {"reason": "r", "message": "m"}},
    "lastState": {"terminated": {"reason": "r", "exitCode": 1}},
}  # fmt: skip
POD = {
    "metadata": META, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
    "status": {"phase": "Running", "conditions": CONDITIONS, "containerStatuses": [STATE]},
}  # fmt: skip
WORKLOAD = {"metadata": META, "spec": {"replicas": 1}, "status": {"observedGeneration": 1, "readyReplicas": 1}}
NODE = {
    "metadata": META, "spec": {"taints": [{"key": "k"}]},
    "status": {"nodeInfo": {"architecture": "amd64"}, "allocatable": {"cpu": "250m", "memory": "1Gi"}},
}  # fmt: skip
EVENT = {"metadata": META, "involvedObject": {"kind": "Pod"}, "count": 2, "lastTimestamp": "t"}
SECRET = {"metadata": META, "data": {"k": "eA=="}}
LISTS = [{"items": [one]} for one in (POD, WORKLOAD, NODE, EVENT)]
KUBECONFIG = {
    "apiVersion": "v1", "kind": "Config", "current-context": "floe", "users": [{"name": "u", "user": {"token": "t"}}],
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "contexts": [{"name": "floe", "context": {"cluster": "c", "user": "u"}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def cluster(server: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Kubernetes:
    path = tmp_path_factory.mktemp("kube") / "config"
    clusters = [{"name": "c", "cluster": {"server": server.url}}]
    path.write_text(yaml.safe_dump({**KUBECONFIG, "clusters": clusters}), encoding="utf-8")
    return Kubernetes(Access(path, "floe"), request_s=5)


@settings(BOUNDED, max_examples=30)
@given(inputs(*LISTS, SECRET, {"gitVersion": "v1.34.4"}), st.sampled_from([200, 200, 404, 422]))
def test_any_answer_of_an_api_server_is_read_or_refused(
    server: Receiver, cluster: Kubernetes, raw: bytes, status: int
) -> None:
    server.requests.clear()
    server.script = [reply(status, raw)]
    lives_through(cluster.version)
    lives_through(cluster.nodes)
    for ask in (cluster.pods, cluster.events, cluster.jobs, cluster.claims, cluster.workloads):
        lives_through(lambda ask=ask: ask("n"))  # type: ignore[misc] # bound now
    lives_through(lambda: cluster.secret("n", "s"))


@settings(BOUNDED, max_examples=12)  # the library reads YAML slowly
@given(inputs(KUBECONFIG))
def test_any_kubeconfig_is_taken_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "kubeconfig"
    path.write_bytes(raw)
    lives_through(lambda: Kubernetes(Access(path, "floe")).url)

"""The most telling line, and a report without secrets."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from floe_ops.clients import kubernetes_objects as objects
from floe_ops.clients.kubernetes import Access, Kubernetes
from floe_ops.kube_api.server import api_server
from floe_ops.targets.cluster import diagnosis
from floe_ops.targets.cluster.settings import settings

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.clients.kubernetes_objects import Event, Pod

PLANTED = "planted-Value-0815"


def pod(name: str = "floe-polaris-1", **status: Any) -> Pod:
    state = {"name": "polaris", "ready": False, "restartCount": 0, **status.pop("container", {})}
    return objects.read_pod(
        {
            "metadata": {"name": name},
            "spec": {"containers": [{"name": "polaris", "image": "localhost/polaris:1"}]},
            "status": {"phase": "Pending", "containerStatuses": [state], **status},
        }
    )


def event(reason: str, message: str, name: str = "floe-polaris-1", kind: str = "Pod") -> Event:
    return objects.Event(kind, name, "Warning", reason, message, 1, "2026-01-01T00:00:00Z")


UNPLACED: dict[str, Any] = {
    "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient memory."}]
}
PULL: dict[str, Any] = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}}
KILLED: dict[str, Any] = {"lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}, "restartCount": 2}
CRASH: dict[str, Any] = {
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
    "lastState": {"terminated": {"reason": "Error", "exitCode": 3}},
}


@pytest.mark.parametrize(
    ("pods", "events", "words", "said"),
    [
        (
            [],
            [event("FailedCreate", 'pods "x" is forbidden: violates PodSecurity "restricted:latest"', "floe-x", "Job")],
            {},
            "Pod Security refuses a pod of Job floe-x",
        ),
        (
            [pod(container=PULL)],
            [event("Failed", "failed to resolve reference: not found")],
            {},
            "the image localhost/polaris:1 cannot be had (ImagePullBackOff): failed to resolve reference: not found",
        ),
        ([pod(container=KILLED)], [], {}, "more memory than its limit (OOMKilled)"),
        ([pod(**UNPLACED)], [], {}, "cannot be placed: 0/1 nodes: Insufficient memory."),
        (
            [pod(container={"state": {"waiting": {"reason": "CreateContainerConfigError", "message": "no secret x"}}})],
            [],
            {},
            "cannot be made (CreateContainerConfigError): no secret x",
        ),
        (
            [pod(container=CRASH)],
            [],
            {"floe-polaris-1/polaris": "ERROR: no database"},
            "ended with 3: ERROR: no database",
        ),
        ([pod()], [event("Unhealthy", "Readiness probe failed: HTTP 503")], {}, "Readiness probe failed: HTTP 503"),
        ([pod()], [], {"floe-polaris-1/polaris": "waiting for postgresql"}, "says: waiting for postgresql"),
        ([pod()], [], {}, "nothing says why: floe-polaris-1"),
        ([], [], {}, "every pod is ready"),
    ],
)
def test_the_most_telling_line(pods: list[Pod], events: list[Event], words: dict[str, str], said: str) -> None:
    assert said in diagnosis.most_telling(pods, events, words)


def test_what_certainly_stops_a_pod_comes_before_what_may_only_delay_it() -> None:
    probed = event("Unhealthy", "Readiness probe failed", "floe-a")
    pods = [pod("floe-a"), pod("floe-b", container=PULL)]
    assert "cannot be had" in diagnosis.most_telling(pods, [probed], {})


def test_a_report_holds_what_is_not_ready_and_no_secret(tmp_path: Path) -> None:
    chosen = settings()
    with api_server(tmp_path / "api") as server:
        cluster = Kubernetes(Access(server.kubeconfig, "floe"))
        cluster.ensure_namespace(chosen.namespace, {})
        metadata = {"name": "default", "namespace": chosen.namespace}
        cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        data = {"client-secret": base64.b64encode(PLANTED.encode()).decode()}
        secret = {"name": "floe-polaris", "namespace": chosen.namespace}
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": secret, "data": data})
        env = [{"name": "URL", "value": f"http://root:{PLANTED}@x"}, {"name": "DB_PASSWORD", "value": "other-value"}]
        spec = {"containers": [{"name": "c", "image": "localhost/x:1", "env": env, "args": ["--token=word-of-it"]}]}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": chosen.namespace}, "spec": spec}
        )
        line = diagnosis.collect(cluster, chosen, tmp_path / "report")
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}
    assert {"p.json", "events.txt", "state.json", "summary.txt"} <= set(written)
    assert line in written["summary.txt"]
    assert json.loads(written["p.json"])["metadata"]["name"] == "p"
    assert PLANTED not in "".join(written.values())
    assert "word-of-it" not in written["p.json"]
    assert "other-value" not in written["p.json"]

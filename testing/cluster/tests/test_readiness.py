from __future__ import annotations

import os
from typing import Any

import pytest
import requests
from bare_cluster import addons, asking, processes, readiness
from bare_cluster.layout import Layout
from bare_cluster.processes import Daemon, Daemons, Process
from bare_cluster.settings import Settings
from floe_core.errors import ExitCode, NotReadyError, WrongStateError

NODE = "/api/v1/nodes/bare"
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
DEPLOYMENTS = {f"/apis/apps/v1/namespaces/{space}/deployments/{name}" for name, space in addons.DEPLOYMENTS.items()}
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/bare"
UP = {
    "metadata": {"generation": 2},
    "spec": {"selector": {"matchLabels": {"app": "x"}}},
    "status": {"observedGeneration": 2, "availableReplicas": 1},
}
SINCE = 1_000_000_000.5  # 2001-09-09T01:46:40.5Z
BEFORE, AFTER = "2001-09-09T01:46:39Z", "2001-09-09T01:46:41Z"
PODS = {f"/api/v1/namespaces/{space}/pods?labelSelector=app=x" for space in addons.DEPLOYMENTS.values()}


def pods(started: str, *, ready: bool = True) -> dict[str, Any]:
    return {
        "items": [{"status": {"containerStatuses": [{"ready": ready, "state": {"running": {"startedAt": started}}}]}}]
    }


class Answers:
    """An API server by its answers."""

    def __init__(self, **changed: Any) -> None:
        ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        self.there: dict[str, Any] = {NODE: ready, ACCOUNT: {"metadata": {}}, LEASE: {"spec": {"renewTime": AFTER}}}
        self.there |= dict.fromkeys(DEPLOYMENTS, UP) | dict.fromkeys(PODS, pods(AFTER)) | changed

    def get(self, path: str) -> Any:
        if path not in self.there:
            return {"items": []} if path.endswith("/pods") else None
        if isinstance(self.there[path], Exception):
            raise self.there[path]
        return self.there[path]

    def ready(self) -> None:
        self.get("/readyz")


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(asking, "address_of", lambda _name, _server: settings.network.api)


def told(settings: Settings, **changed: Any) -> str:
    return readiness.objection(Answers(**changed), settings, SINCE)  # type: ignore[arg-type]


def test_a_whole_cluster_has_nothing_against_it(settings: Settings, dns: None) -> None:
    assert told(settings) == ""


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (LEASE, None, "not told that it lives"),
        (LEASE, {"spec": {"renewTime": BEFORE}}, "not told that it lives"),
        *((path, pods(BEFORE), "has not started again") for path in sorted(PODS)),
        *((path, pods(AFTER, ready=False), "has not started again") for path in sorted(PODS)),
        *((path, {"items": [{"status": {}}]}, "has not started again") for path in sorted(PODS)),
        (NODE, None, "has not registered"),
        (NODE, {"status": {}}, "not told its condition"),
        (NODE, {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "no CNI"}]}}, "no CNI"),
        (NODE, requests.ConnectionError(), "does not answer: ConnectionError"),
        (ACCOUNT, None, "no default service account"),
        *((path, None, "is not there") for path in sorted(DEPLOYMENTS)),
        *((path, {**UP, "metadata": {"generation": 3}}, "is not available") for path in sorted(DEPLOYMENTS)),
        *((path, {**UP, "status": {"observedGeneration": 2}}, "is not available") for path in sorted(DEPLOYMENTS)),
    ],
)
def test_each_piece_that_is_missing_is_told(settings: Settings, dns: None, path: str, value: Any, why: str) -> None:
    assert why in told(settings, **{path: value})


def test_why_a_container_waits_is_told(settings: Settings, dns: None) -> None:
    waiting = {"state": {"waiting": {"reason": "ErrImageNeverPull", "message": "no such image"}}}
    those = {"items": [{"status": {"containerStatuses": [waiting]}}, {"status": {}}]}
    down = {"metadata": {"generation": 1}, "status": {}}
    changed = dict.fromkeys(DEPLOYMENTS, down) | {"/api/v1/namespaces/kube-system/pods": those}
    assert told(settings, **changed) == "coredns is not available: ErrImageNeverPull no such image"


@pytest.mark.parametrize("error", [TimeoutError("timed out"), ConnectionRefusedError("refused")])
def test_dns_that_does_not_answer_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def fail(_name: str, _server: object) -> None:
        raise error

    monkeypatch.setattr(asking, "address_of", fail)
    assert "DNS does not answer" in told(settings)


def test_dns_that_answers_wrongly_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "address_of", lambda _name, _server: None)
    assert "is None" in told(settings)


def test_an_api_server_that_is_not_ready_objects() -> None:
    assert readiness.api_objection(Answers()) == ""  # type: ignore[arg-type]
    changed = Answers(**{"/readyz": requests.HTTPError()})
    assert "HTTPError" in readiness.api_objection(changed)  # type: ignore[arg-type]


def test_waiting_ends_with_the_last_objection(place: Layout) -> None:
    objections = iter(["first", "second", "third"])
    with pytest.raises(NotReadyError, match=r"not ready after 0\.1 s") as late:
        readiness.wait(place, Process.of(os.getpid()), lambda: next(objections, "the last"), 0.1)
    assert late.value.exit_code == ExitCode.TIMEOUT
    assert late.value.why in {"second", "third", "the last"}


def test_waiting_ends_as_soon_as_nothing_is_objected(place: Layout) -> None:
    objections = iter(["first", ""])
    readiness.wait(place, Process.of(os.getpid()), lambda: next(objections), 5)


def test_a_daemon_that_ended_ends_the_wait_with_its_last_words(place: Layout) -> None:
    told = Daemons("api", (Daemon("etcd", 5), Daemon("kube-apiserver", 6, 1)))
    processes.note_daemons(place.daemons, told)
    (place.logs / "kube-apiserver.log").write_text("first\nno such flag\n", encoding="utf-8")
    with pytest.raises(WrongStateError, match="kube-apiserver ended with code 1") as ended:
        readiness.wait(place, Process.of(os.getpid()), lambda: "not yet", 60)
    assert "no such flag" in ended.value.why


def test_the_end_of_the_first_process_ends_the_wait(place: Layout) -> None:
    (place.logs / "guardian.log").write_text("OSError: refused\n", encoding="utf-8")
    with pytest.raises(WrongStateError, match="the cluster ended") as ended:
        readiness.wait(place, Process(os.getpid(), 0.0), lambda: "not yet", 60)
    assert "OSError: refused" in ended.value.why
    assert "none" in readiness.said(place, "etcd")

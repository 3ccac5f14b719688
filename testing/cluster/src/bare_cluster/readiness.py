"""When a cluster is ready, and what is wrong when it does not become so."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import requests
from floe_core.errors import NotReadyError, WrongStateError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from bare_cluster import addons, asking, processes
from bare_cluster.settings import NODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bare_cluster.asking import Api
    from bare_cluster.layout import Layout
    from bare_cluster.processes import Process
    from bare_cluster.settings import Settings

API_NAME = "kubernetes.default.svc.cluster.local"
LAST_LINES = 6
REMEDY = "`bare-cluster status` and `bare-cluster logs DAEMON` tell more; `bare-cluster up` again replaces what broke"


def api_objection(api: Api) -> str:
    """What keeps the API server from being ready; empty when nothing does."""
    try:
        api.ready()
    except requests.RequestException as error:
        return f"the API server is not ready: {type(error).__name__}"
    return ""


def objection(api: Api, settings: Settings, since: float) -> str:
    """The first thing that keeps the cluster from being ready; empty when nothing does.

    What was noted before `since`, the start of the first process (seconds since the epoch), says nothing: objects
    outlive the daemons that they tell of.
    """
    try:
        return (
            _kubelet(api.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}"), since)
            or _node(api.get(f"/api/v1/nodes/{NODE}"))
            or _account(api.get("/api/v1/namespaces/default/serviceaccounts/default"))
            or next(filter(None, (_deployment(api, *each, since) for each in addons.DEPLOYMENTS.items())), "")
            or _dns(settings)
        )
    except requests.RequestException as error:
        return f"the API server does not answer: {type(error).__name__}"


def _kubelet(lease: Any, since: float) -> str:
    """Whether the kubelet has told since then that it lives."""
    renewed = lease["spec"].get("renewTime") if lease else None
    return "" if renewed and _time(renewed) >= since else "the kubelet has not told that it lives"


def _time(text: str) -> float:
    """A time of the API in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def _node(node: Any) -> str:
    if node is None:
        return "the node has not registered"
    condition = next((each for each in node["status"].get("conditions", []) if each["type"] == "Ready"), None)
    if condition is None:
        return "the node has not told its condition"
    return "" if condition["status"] == "True" else f"the node is not ready: {condition.get('message', '')}"


def _account(account: Any) -> str:
    return "" if account else "the namespace `default` has no default service account yet"


def _deployment(api: Api, name: str, namespace: str, since: float) -> str:
    found = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    if found is None:
        return f"{name} is not there"
    status = found.get("status", {})
    if status.get("observedGeneration") != found["metadata"]["generation"] or not status.get("availableReplicas", 0):
        return f"{name} is not available{_reasons(api, namespace)}"
    labels = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
    pods = api.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={labels}")["items"]
    return "" if any(_runs(pod, since) for pod in pods) else f"{name} has not started again"


def _runs(pod: Any, since: float) -> bool:
    """Whether the pod is ready and its containers were started since then (the API cuts their times to seconds)."""
    containers = pod["status"].get("containerStatuses", [])
    starts = [each.get("state", {}).get("running", {}).get("startedAt") for each in containers if each["ready"]]
    return (
        bool(containers)
        and len(starts) == len(containers)
        and all(start and _time(start) >= int(since) for start in starts)
    )


def _reasons(api: Api, namespace: str) -> str:
    """Why containers of the namespace wait, as far as they say."""
    pods = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    statuses = (each for pod in pods for each in pod["status"].get("containerStatuses", []))
    waiting = (each.get("state", {}).get("waiting", {}) for each in statuses)
    told = [f"{each['reason']} {each.get('message', '')}".strip() for each in waiting if each.get("reason")]
    return f": {'; '.join(told)}" if told else ""


def _dns(settings: Settings) -> str:
    try:
        found = asking.address_of(API_NAME, settings.network.dns)
    except OSError as error:
        return f"DNS does not answer at its Service: {error}"
    return "" if found == settings.network.api else f"DNS says that {API_NAME} is {found}"


def wait(layout: Layout, first: Process, answers: Callable[[], str], deadline_s: float) -> None:
    """Wait until `answers` has nothing to object.

    Args:
        layout: Of the cluster, whose daemons are watched meanwhile.
        first: The first process of its namespaces.
        answers: Asks once; returns what is wrong, and nothing when it is ready.
        deadline_s: How long to wait, in seconds.

    Raises:
        NotReadyError: It took longer.
        WrongStateError: A daemon ended, or all of them with the first process; its last words are told.
    """

    def look() -> str:
        refuse_ended(layout, first)
        return answers()

    looking = Retrying(
        stop=stop_after_delay(deadline_s),
        wait=wait_exponential(multiplier=0.05, max=0.25),
        retry=retry_if_result(bool),
    )
    try:
        looking(look)
    except RetryError as error:
        raise NotReadyError(
            f"the cluster is not ready after {deadline_s:g} s",
            where=str(layout.state),
            why=str(error.last_attempt.result()),
            remedy=REMEDY,
        ) from None


def refuse_ended(layout: Layout, first: Process) -> None:
    """Return where everything lives.

    Raises:
        WrongStateError: A daemon ended, or the first process did.
    """
    if not first.lives:
        raise WrongStateError(
            "the cluster ended",
            where=str(layout.state),
            why=f"its first process is gone; last words: {said(layout, 'guardian')}",
            remedy=REMEDY,
        )
    told = processes.daemons(layout)
    for daemon in told.ended if told else ():
        raise WrongStateError(
            f"{daemon.name} ended with code {daemon.code}",
            where=str(layout.logs / f"{daemon.name}.log"),
            why=f"its last words: {said(layout, daemon.name)}",
            remedy=REMEDY,
        )


def said(layout: Layout, name: str) -> str:
    """The last lines of a log, as an error tells them."""
    lines = last(layout, name, LAST_LINES)
    return "\n    | ".join(["", *lines]) if lines else "none"


def last(layout: Layout, name: str, lines: int) -> list[str]:
    """The last lines of a log."""
    try:
        text = (layout.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]

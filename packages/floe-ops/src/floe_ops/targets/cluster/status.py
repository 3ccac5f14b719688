"""How the components of the release are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from floe_ops.services import CLUSTER, services
from floe_ops.targets.cluster import progress
from floe_ops.targets.seen import ServiceStatus

if TYPE_CHECKING:
    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.clients.kubernetes_objects import Pod, Workload
    from floe_ops.targets.cluster.forwards import Forwards
    from floe_ops.targets.cluster.settings import Settings

FORWARDS = "forwards"


def nothing() -> list[ServiceStatus]:
    """The rows where no release runs."""
    return [ServiceStatus(name, "down", 0, "", 0, 0, "") for name in services(CLUSTER)]


def look(cluster: Kubernetes, settings: Settings, kept: Forwards | None) -> list[ServiceStatus]:
    """A row for each workload, named as its service where it is one, and one for the forwards."""
    names = {service.component: name for name, service in services(CLUSTER).items()}
    pods = [pod for pod in cluster.pods(settings.namespace, settings.selector) if pod.phase != "Succeeded"]
    rows = []
    for one in progress.workloads(cluster, settings):
        its = [pod for pod in pods if pod.component == one.component]
        rows.append(_row(one, names.get(one.component, one.component), its, kept))
    order = list(names.values())
    rows.sort(key=lambda row: (order.index(row.name) if row.name in order else len(order), row.name))
    state, pid = ("ready", kept.pid) if kept else ("down", 0)
    detail = "" if kept else "not kept: `invoke platform.up --target cluster`"
    return [*rows, ServiceStatus(FORWARDS, state, pid, "", 0, 0, detail)]


def _row(one: Workload, name: str, pods: list[Pod], kept: Forwards | None) -> ServiceStatus:
    service = services(CLUSTER).get(name)
    url = kept.urls.get(service.health_port, "") + service.health_path if kept and service else ""
    bad = [container for pod in pods for container in pod.containers if container.reason not in {"", "Completed"}]
    detail = one.why and "; ".join([one.why, *(f"{each.name}: {each.reason}" for each in bad)])
    state = "ready" if not one.why else "failed" if any("BackOff" in each.reason for each in bad) else "starting"
    if one.wanted == 0:
        state, detail = "down", "scaled to nothing"
    return ServiceStatus(name, state, 0, url, _age(pods), sum(pod.restarts for pod in pods), detail)


def _age(pods: list[Pod]) -> int:
    """Whole seconds since the newest of the pods started."""
    starts = [pod.document.get("status", {}).get("startTime") for pod in pods]
    moments = [datetime.fromisoformat(start) for start in starts if start]
    return max(0, int((datetime.now(UTC) - max(moments)).total_seconds())) if moments else 0

"""What the Kubernetes client hands out: objects of a cluster, read from the API's own JSON.

Contract: the fields of the core/v1, apps/v1 and batch/v1 resources of Kubernetes 1.30 and newer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]

COMPONENT = "app.kubernetes.io/component"
KI_B = 1024
BINARY = {"Ki": KI_B, "Mi": KI_B**2, "Gi": KI_B**3, "Ti": KI_B**4}
DECIMAL = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@dataclass(frozen=True)
class Container:
    """One container of a pod and how it is.

    Attributes:
        name: As in the pod's specification.
        image: The reference that was asked for.
        init: Whether it runs before the others.
        ready: Whether its readiness probe passes; for an init container whether it has ended well.
        restarts: How often it was started again.
        reason: Why it waits or has ended in the kubelet's word (`ImagePullBackOff`, `OOMKilled`); empty when it runs.
        message: The kubelet's sentence on that, empty where it gave none.
        last_reason: Why its run before this one ended; empty when there was none.
        last_exit: The exit code of that run.
    """

    name: str
    image: str
    init: bool
    ready: bool
    restarts: int
    reason: str = ""
    message: str = ""
    last_reason: str = ""
    last_exit: int = 0


@dataclass(frozen=True)
class Pod:
    """A pod: who it is, where it runs, whether it serves.

    Attributes:
        ready: Whether it counts as an endpoint of its Services.
        ending: Whether it was asked to go.
        unschedulable: The scheduler's reason; empty once it has a node.
        labels: All of its labels.
        containers: Init containers first.
        document: The object as the API gave it.
    """

    name: str
    component: str
    phase: str
    node: str
    ready: bool
    ending: bool
    unschedulable: str
    labels: Mapping[str, str]
    containers: tuple[Container, ...]
    document: Document = field(repr=False, compare=False)

    @property
    def restarts(self) -> int:
        """How often its containers were started again, all together."""
        return sum(container.restarts for container in self.containers)


@dataclass(frozen=True)
class Event:
    """Something that a controller, the scheduler or a kubelet said about an object; `at` is its last time."""

    kind: str
    name: str
    type: str
    reason: str
    message: str
    count: int
    at: str


@dataclass(frozen=True)
class Workload:
    """A Deployment or a StatefulSet; `why` says what it still lacks, empty when it is rolled out."""

    kind: str
    name: str
    component: str
    wanted: int
    ready: int
    why: str


@dataclass(frozen=True)
class Job:
    """A Job; `failed` and `succeeded` count pods, `why` is the controller's reason when it gave up."""

    name: str
    component: str
    active: int
    succeeded: int
    failed: int
    why: str


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim and the phase it is in (`Bound`, `Pending`)."""

    name: str
    phase: str
    storage_class: str


@dataclass(frozen=True)
class Node:
    """A node: `platform` as `linux/amd64`; what pods may have of it, in cores and bytes; taints that keep pods away."""

    name: str
    platform: str
    version: str
    ready: bool
    cpu: float
    memory: float
    taints: tuple[str, ...]


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number: `250m` is 0.25, `128Mi` is 134217728.

    Raises:
        ValueError: It is none.
    """
    for suffix, factor in (*BINARY.items(), *DECIMAL.items()):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    return float(text)


def read_pod(document: Document) -> Pod:
    """A Pod of core/v1."""
    meta, spec, status = document["metadata"], document["spec"], document.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    placed = conditions.get("PodScheduled", {})
    labels = meta.get("labels") or {}
    return Pod(
        name=meta["name"],
        component=labels.get(COMPONENT, ""),
        phase=status.get("phase", ""),
        node=spec.get("nodeName", ""),
        ready=conditions.get("Ready", {}).get("status") == "True",
        ending="deletionTimestamp" in meta,
        unschedulable=placed.get("message", "") if placed.get("status") == "False" else "",
        labels=labels,
        containers=(
            *_containers(spec.get("initContainers"), status.get("initContainerStatuses"), init=True),
            *_containers(spec.get("containers"), status.get("containerStatuses"), init=False),
        ),
        document=document,
    )


def _containers(specs: list[Document] | None, states: list[Document] | None, *, init: bool) -> list[Container]:
    by_name = {state["name"]: state for state in states or ()}
    return [_container(spec, by_name.get(spec["name"], {}), init=init) for spec in specs or ()]


def _container(spec: Document, status: Document, *, init: bool) -> Container:
    state = status.get("state", {})
    now = state.get("waiting") or state.get("terminated") or {}
    last = (status.get("lastState") or {}).get("terminated") or {}
    return Container(
        name=spec["name"],
        image=spec.get("image", ""),
        init=init,
        ready=bool(status.get("ready")),
        restarts=int(status.get("restartCount", 0)),
        reason=now.get("reason", ""),
        message=now.get("message", ""),
        last_reason=last.get("reason", ""),
        last_exit=int(last.get("exitCode", 0)),
    )


def read_event(document: Document) -> Event:
    """An Event of core/v1."""
    about = document.get("involvedObject", {})
    return Event(
        kind=about.get("kind", ""),
        name=about.get("name", ""),
        type=document.get("type", ""),
        reason=document.get("reason", ""),
        message=document.get("message", "") or "",
        count=int(document.get("count") or 1),
        at=str(document.get("lastTimestamp") or document.get("eventTime") or document["metadata"]["creationTimestamp"]),
    )


def read_workload(kind: str, document: Document) -> Workload:
    """A Deployment or StatefulSet of apps/v1, judged as `kubectl rollout status` judges it."""
    meta, spec, status = document["metadata"], document["spec"], document.get("status", {})
    wanted, ready = int(spec.get("replicas", 1)), int(status.get("readyReplicas", 0))
    updated = int(status.get("updatedReplicas", 0))
    why = ""
    if int(status.get("observedGeneration", 0)) < int(meta.get("generation", 1)):
        why = "its controller has not seen it yet"
    elif updated < wanted:
        why = f"{updated} of {wanted} pods are of the newest revision"
    elif ready < wanted:
        why = f"{ready} of {wanted} pods are ready"
    elif int(status.get("replicas", 0)) > wanted:
        why = "pods of the revision before are still there"
    labels = meta.get("labels") or {}
    return Workload(kind, meta["name"], labels.get(COMPONENT, ""), wanted, ready, why)


def read_job(document: Document) -> Job:
    """A Job of batch/v1."""
    meta, status = document["metadata"], document.get("status", {})
    gave_up = [one for one in status.get("conditions") or () if one["type"] == "Failed" and one["status"] == "True"]
    return Job(
        name=meta["name"],
        component=(meta.get("labels") or {}).get(COMPONENT, ""),
        active=int(status.get("active", 0)),
        succeeded=int(status.get("succeeded", 0)),
        failed=int(status.get("failed", 0)),
        why=f"{gave_up[0].get('reason', '')}: {gave_up[0].get('message', '')}" if gave_up else "",
    )


def read_claim(document: Document) -> Claim:
    """A PersistentVolumeClaim of core/v1."""
    spec = document["spec"]
    phase = document.get("status", {}).get("phase", "")
    return Claim(document["metadata"]["name"], phase, spec.get("storageClassName") or "")


def read_node(document: Document) -> Node:
    """A Node of core/v1."""
    status = document.get("status", {})
    info, room = status.get("nodeInfo", {}), status.get("allocatable", {})
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or ()}
    return Node(
        name=document["metadata"]["name"],
        platform=f"{info.get('operatingSystem', '?')}/{info.get('architecture', '?')}",
        version=info.get("kubeletVersion", ""),
        ready=conditions.get("Ready") == "True",
        cpu=quantity(room.get("cpu", "0")),
        memory=quantity(room.get("memory", "0")),
        taints=tuple(one["key"] for one in document["spec"].get("taints") or ()),
    )

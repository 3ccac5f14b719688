"""Why a release did not become ready: everything into a folder, the most telling sentence into the error."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from floe_core.errors import FloeError

from floe_ops.targets.cluster.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.clients.kubernetes_objects import Container, Event, Pod
    from floe_ops.targets.cluster.settings import Settings

NO_IMAGE = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"}
BAD_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
LOG_LINES = 400
LONGEST = 400  # characters of a sentence that an error repeats
DONE = {"Succeeded"}
TELLING = re.compile(r"(?i)\b(error|exception|fatal|panic|failed|refused|denied|cannot|could not)\b")


def collect(cluster: Kubernetes, settings: Settings, folder: Path) -> str:
    """Write events, objects and logs of everything that is not ready below `folder`; returns the most telling line.

    Secrets of the release do not appear in it. A cluster that does not answer leaves what could be written before.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    hide = redactor(cluster, settings.namespace)
    events = cluster.events(settings.namespace)
    (folder / "events.txt").write_text("".join(f"{_line(event)}\n" for event in events), encoding="utf-8")
    pods = [pod for pod in cluster.pods(settings.namespace) if not pod.ready and pod.phase not in DONE]
    words: dict[str, str] = {}
    for pod in pods:
        document = hide(json.dumps(pod.document, indent=1))
        (folder / f"{pod.name}.json").write_text(document, encoding="utf-8")
        for container in pod.containers:
            for previous in (False, True):
                text = hide(_log(cluster, settings.namespace, pod.name, container.name, previous=previous))
                if text:
                    name = f"{pod.name}.{container.name}{'.previous' if previous else ''}.log"
                    (folder / name).write_text(text, encoding="utf-8")
                    words[f"{pod.name}/{container.name}"] = _telling(text)
    (folder / "state.json").write_text(json.dumps(_state(cluster, settings), indent=1), encoding="utf-8")
    line = hide(most_telling(pods, events, words))
    (folder / "summary.txt").write_text(f"{line}\n", encoding="utf-8")
    return line[:LONGEST]


def redactor(cluster: Kubernetes, namespace: str) -> Redactor:
    """Takes what the Secrets of a namespace hold out of texts."""
    return Redactor(_secrets(cluster, namespace))


def most_telling(pods: list[Pod], events: list[Event], words: dict[str, str]) -> str:
    """The one sentence that says most: what certainly stops a pod comes before what may only delay it.

    Args:
        pods: Those that are not ready.
        events: Oldest first.
        words: The telling line of each log, by `pod/container`.
    """
    for look in (_refused, _images, _killed, _placed, _configured, _ended, _probed):
        for line in look(pods, events, words):
            return line
    waiting = ", ".join(pod.name for pod in pods)
    return f"not ready, and nothing says why: {waiting}" if waiting else "every pod is ready; a hook or Helm failed"


def _refused(_pods: list[Pod], events: list[Event], _words: dict[str, str]) -> Iterator[str]:
    for event in reversed(events):
        if "violates PodSecurity" in event.message:
            yield f"Pod Security refuses a pod of {event.kind} {event.name}: {event.message}"


def _images(pods: list[Pod], events: list[Event], _words: dict[str, str]) -> Iterator[str]:
    for pod, container in _containers(pods):
        if container.reason in NO_IMAGE:
            said = _last(events, pod.name, "Failed") or container.message
            yield f"{pod.name}: the image {container.image} cannot be had ({container.reason}): {said}"


def _killed(pods: list[Pod], _events: list[Event], _words: dict[str, str]) -> Iterator[str]:
    for pod, container in _containers(pods):
        if "OOMKilled" in {container.reason, container.last_reason}:
            yield f"{pod.name}: {container.name} was killed because it took more memory than its limit (OOMKilled)"


def _placed(pods: list[Pod], _events: list[Event], _words: dict[str, str]) -> Iterator[str]:
    for pod in pods:
        if pod.unschedulable:
            yield f"{pod.name} cannot be placed: {pod.unschedulable}"


def _configured(pods: list[Pod], _events: list[Event], _words: dict[str, str]) -> Iterator[str]:
    for pod, container in _containers(pods):
        if container.reason in BAD_CONFIG:
            yield f"{pod.name}: {container.name} cannot be made ({container.reason}): {container.message}"


def _ended(pods: list[Pod], _events: list[Event], words: dict[str, str]) -> Iterator[str]:
    """A container that ends again and again; the first in the order of the pod, which the others wait for."""
    for pod, container in _containers(pods):
        if container.last_exit or container.reason in {"Error", "CrashLoopBackOff"}:
            said = words.get(f"{pod.name}/{container.name}", "")
            yield f"{pod.name}: {container.name} ended with {container.last_exit}: {said or 'its log is empty'}"


def _probed(pods: list[Pod], events: list[Event], words: dict[str, str]) -> Iterator[str]:
    for pod in pods:
        said = _last(events, pod.name, "Unhealthy")
        if said:
            yield f"{pod.name}: {said}"
    for pod, container in _containers(pods):
        if not container.ready and words.get(f"{pod.name}/{container.name}"):
            yield f"{pod.name}: {container.name} says: {words[f'{pod.name}/{container.name}']}"
    for event in reversed(events):
        if event.type == "Warning" and event.name in {pod.name for pod in pods}:
            yield f"{event.name}: {event.reason}: {event.message}"


def _containers(pods: list[Pod]) -> Iterator[tuple[Pod, Container]]:
    for pod in pods:
        for container in pod.containers:
            yield pod, container


def _last(events: list[Event], name: str, reason: str) -> str:
    return next((one.message for one in reversed(events) if (one.name, one.reason) == (name, reason)), "")


def _telling(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if TELLING.search(line)), lines[-1] if lines else "")[:LONGEST]


def _line(event: Event) -> str:
    times = f" (x{event.count})" if event.count > 1 else ""
    return f"{event.at} {event.type:<7} {event.kind}/{event.name} {event.reason}{times}: {event.message}"


def _log(cluster: Kubernetes, namespace: str, pod: str, container: str, *, previous: bool) -> str:
    with suppress(FloeError):
        return cluster.logs(namespace, pod, container, previous=previous, lines=LOG_LINES)
    return ""


def _state(cluster: Kubernetes, settings: Settings) -> dict[str, list[str]]:
    """Workloads, Jobs, claims and nodes, a line each."""
    return {
        "workloads": [
            f"{one.kind}/{one.name} {one.ready}/{one.wanted} {one.why}" for one in cluster.workloads(settings.namespace)
        ],
        "jobs": [
            f"{one.name} active {one.active} succeeded {one.succeeded} failed {one.failed} {one.why}"
            for one in cluster.jobs(settings.namespace)
        ],
        "claims": [f"{one.name} {one.phase} {one.storage_class}" for one in cluster.claims(settings.namespace)],
        "nodes": [
            f"{one.name} {one.platform} {one.version} ready={one.ready} cpu={one.cpu:g} memory={one.memory:.0f}"
            for one in cluster.nodes()
        ],
    }


def _secrets(cluster: Kubernetes, namespace: str) -> list[str]:
    """Every value of every Secret in the namespace, Helm's own records excepted."""
    found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets") or {}
    names = [one["metadata"]["name"] for one in found.get("items") or () if not one["type"].startswith("helm.sh/")]
    return [value for name in names for value in (cluster.secret(namespace, name) or {}).values()]

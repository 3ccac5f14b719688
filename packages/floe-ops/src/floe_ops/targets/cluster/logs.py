"""Read the logs of the release's containers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops.services import CLUSTER, services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.targets.cluster.settings import Settings

LOOK_EVERY_S = 1.0


def read(cluster: Kubernetes, settings: Settings, service: str, count: int, *, follow: bool) -> Iterator[str]:
    """The last `count` lines of each container of a service or component, or of all of them; then what comes.

    Raises:
        UsageError: The release has no such component.
    """
    seen: dict[tuple[str, str], list[str]] = {}
    component = services(CLUSTER)[service].component if service in services(CLUSTER) else service
    yield from _new(cluster, settings, component, count, seen)
    pause = threading.Event()
    while follow:
        pause.wait(LOOK_EVERY_S)
        yield from _new(cluster, settings, component, count, seen)


def _new(
    cluster: Kubernetes, settings: Settings, component: str, count: int, seen: dict[tuple[str, str], list[str]]
) -> Iterator[str]:
    """The lines that were not there at the last look."""
    pods = cluster.pods(settings.namespace, settings.selector)
    there = sorted({pod.component for pod in pods})
    if component and component not in there:
        raise UsageError(
            f"there is no service named {component!r}",
            where="--service",
            why=f"the services are: {', '.join([*services(CLUSTER), *there])}",
            remedy="give one of them, or none for all",
        )
    for pod in pods:
        if component in {"", pod.component}:
            for container in pod.containers:
                key = (pod.name, container.name)
                lines = cluster.logs(settings.namespace, pod.name, container.name, lines=count).splitlines()
                yield from (f"{pod.name} {container.name} | {line}" for line in _since(seen.get(key, []), lines))
                seen[key] = lines


def _since(before: list[str], now: list[str]) -> list[str]:
    """What `now` has beyond `before`, of which it repeats an end."""
    if not before:
        return now
    for start in range(len(before)):
        tail = before[start:]
        if now[: len(tail)] == tail:
            return now[len(tail) :]
    return now

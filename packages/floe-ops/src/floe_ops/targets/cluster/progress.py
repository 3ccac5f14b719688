"""Watch a release become ready: one line for each component as it does, and how long it took."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from floe_core.errors import FloeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.clients.kubernetes_objects import Workload
    from floe_ops.targets.cluster.settings import Settings

LOOK_EVERY_S = 0.5
FIRST_PAUSE_S = 0.05


class Watch:
    """Looks at the workloads of a release until it is told to stop.

    Args:
        cluster: Where the release is.
        settings: Which.
        say: Takes one line for each component that became ready.

    Attributes:
        took: Seconds until each component was ready, in the order in which they were.
    """

    def __init__(self, cluster: Kubernetes, settings: Settings, say: Callable[[str], None]) -> None:
        self.took: dict[str, float] = {}
        self._cluster, self._settings, self._say = cluster, settings, say
        self._start = time.monotonic()
        self._over = threading.Event()
        found = workloads(cluster, settings)
        self._untouched = {one.component for one in found if not one.why}  # counts once it was not ready in between

    def look(self) -> None:
        """Look once; says what became ready since the last look."""
        for one in workloads(self._cluster, self._settings):
            self._note(one.component, ready=not one.why)
        for job in self._cluster.jobs(self._settings.namespace):
            self._note(job.component, ready=bool(job.succeeded))

    def run(self) -> None:
        """Look until `stop`; a cluster that does not answer for a moment is no reason to end."""
        while not self._over.wait(LOOK_EVERY_S):
            try:
                self.look()
            except FloeError:
                continue

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def _note(self, component: str, *, ready: bool) -> None:
        if not ready:
            self._untouched.discard(component)
        elif component and component not in self.took and component not in self._untouched:
            self.took[component] = time.monotonic() - self._start
            self._say(f"{component} is ready")


@contextmanager
def watching(cluster: Kubernetes, settings: Settings, say: Callable[[str], None]) -> Iterator[Watch]:
    """Watch while the block runs; what was ready before is not told."""
    watch = Watch(cluster, settings, say)
    thread = threading.Thread(target=watch.run, daemon=True, name="watch-release")
    thread.start()
    try:
        yield watch
        watch.look()
    finally:
        watch.stop()
        thread.join()


def workloads(cluster: Kubernetes, settings: Settings) -> list[Workload]:
    """The Deployments and StatefulSets of the release."""
    return cluster.workloads(settings.namespace, settings.selector)


def missing(cluster: Kubernetes, settings: Settings) -> list[str]:
    """What the release still lacks, one sentence a workload; a release that is scaled to nothing is not there."""
    found = workloads(cluster, settings)
    if not found:
        return ["it has no workloads"]
    asleep = [f"{one.component} is scaled to nothing" for one in found if one.wanted == 0]
    return asleep + [f"{one.component}: {one.why}" for one in found if one.why]


def until_ready(cluster: Kubernetes, settings: Settings, timeout_s: float) -> str:
    """Wait until every workload is rolled out; returns what is missing at the deadline, empty when nothing is."""
    deadline, pause = time.monotonic() + timeout_s, FIRST_PAUSE_S
    while (lacks := missing(cluster, settings)) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 1.5, LOOK_EVERY_S)
    return "; ".join(lacks)

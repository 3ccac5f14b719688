"""Put the chart into the cluster: images first, a healed release, then Helm, watched until everything is ready.

What was installed is marked on the namespace: the digest of chart and values, and the revision that they became. An
install of the same digest on that very revision is skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError, NotReadyError, UsageError, WrongStateError
from floe_core.telemetry import span

from floe_ops.clients import helm as helm_client
from floe_ops.clients.kubernetes import MERGE, RESTRICTED
from floe_ops.targets.cluster import diagnosis, progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.images.build import BuiltImage
    from floe_ops.targets.cluster.layout import Layout
    from floe_ops.targets.cluster.providers import Provider
    from floe_ops.targets.cluster.settings import Settings

READY_S = 300.0
SETTLE_S = 120.0  # pods of a cluster that was just started again
IMAGES = ("floe", "postgresql", "minio", "otelcol", "jaeger", "polaris-standin", "cube-standin")
SOURCE, BUILT, REGISTRY = "FLOE_IMAGES", "built", "registry"
FIXED = "updates to statefulset spec for fields other than"  # Kubernetes' own words
MARK = "floe.dev/installed"
LABELS = {**RESTRICTED, "app.kubernetes.io/part-of": "floe"}


@dataclass(frozen=True)
class Installed:
    """How an install ended.

    Attributes:
        made_namespace: Whether the namespace was made now.
        took: Seconds until each component was ready; empty when nothing had to be done.
    """

    made_namespace: bool
    took: dict[str, float]


class Installation:
    """One install of the release.

    Args:
        cluster: Into which cluster.
        settings: What, and where in it.
        layout: Where a failure's report goes.
        say: Takes one line for each thing that happens.
    """

    def __init__(
        self, cluster: Kubernetes, settings: Settings, layout: Layout, say: Callable[[str], None] = lambda _line: None
    ) -> None:
        self._cluster, self._settings, self._layout, self._say = cluster, settings, layout, say
        place = helm_client.Place(settings.namespace, cluster.access.kubeconfig, cluster.access.context)
        self._helm = helm_client.choose(place).within(READY_S)

    def ensure(self, provider: Provider) -> Installed:
        """Have the release as the chart and the profile say, every workload ready.

        Raises:
            NotReadyError: Something did not become ready; the report holds why, the error the most telling line.
            FloeError: Helm or the cluster refuse.
        """
        built, overlay = images(provider)
        made = self._cluster.ensure_namespace(self._settings.namespace, LABELS)
        digest = fingerprint(self._settings.chart, overlay)
        if not made and self._is_there(digest):
            return Installed(made, {})
        if built:
            self._say(f"images: {', '.join(one.reference for one in built)}")
            with span("load images"):
                provider.load([one.archive for one in built])
        with span("helm upgrade", **{"floe.release": self._settings.release}):
            return Installed(made, self._install(provider, overlay, digest))

    def forget(self) -> None:
        """Take the mark away, so that the next `ensure` installs."""
        if self._cluster.namespace(self._settings.namespace) is not None:
            self._mark(None)

    def _is_there(self, digest: str) -> bool:
        """Whether exactly this was installed by the newest revision, and is ready or becomes so."""
        document = self._cluster.namespace(self._settings.namespace) or {}
        mark = (document.get("metadata", {}).get("annotations") or {}).get(f"{MARK}-{self._settings.release}")
        if mark is None:
            return False
        try:
            found = self._helm.status(self._settings.release)
        except helm_client.ReleaseMissingError:
            return False
        if found.status is not helm_client.Status.DEPLOYED or mark != f"{digest} {found.revision}":
            return False
        lacks = progress.missing(self._cluster, self._settings)
        if not lacks:
            return True
        if any("scaled to nothing" in lack for lack in lacks):
            return False
        self._say("the release is as asked for; waiting for its pods")
        return not progress.until_ready(self._cluster, self._settings, SETTLE_S)

    def _heal(self, *, may_remove: bool) -> None:
        """Bring a stuck release back to its newest good revision.

        One that never had any is removed where the cluster is ours; its volumes and their Secrets stay.
        """
        from floe_ops import release

        name = self._settings.release
        try:
            # In a cluster of ours nobody outside of this checkout is at work, and those inside hold the release's lock.
            terms = release.Terms(stuck_after_s=0.0 if may_remove else helm_client.CHANGE_S)
            outcome = release.heal(self._helm, name, terms, tell=self._say)
        except release.CannotHealError as error:
            if not may_remove:
                raise
            self._say(f"release removed, to be installed anew: {error.why}")
            self._helm.uninstall(name)
            return
        if outcome.state == "healed":
            self._say(f"release healed: {outcome.reason}")

    def _install(self, provider: Provider, overlay: dict[str, Any], digest: str) -> dict[str, float]:
        self._heal(may_remove=provider.makes)
        values = helm_client.Values((self._settings.profile,), overlay)
        self._say(f"helm upgrade --install {self._settings.release} in {self._settings.namespace}")
        try:
            with progress.watching(self._cluster, self._settings, self._say) as watch:
                found = self._upgrade(values, may_remove=provider.makes)
        except FloeError as error:
            raise self._diagnosed(error) from error
        self._mark(f"{digest} {found.revision}")
        return watch.took

    def _upgrade(self, values: helm_client.Values, *, may_remove: bool) -> helm_client.Release:
        """Upgrade, or install; where the cluster is ours, a change that a StatefulSet never takes makes it anew."""
        name, chart = self._settings.release, self._settings.chart
        try:
            return self._helm.upgrade(name, chart, values, install=True)
        except FloeError as error:
            if not may_remove or FIXED not in error.why:
                raise
            self._say(
                "the chart changes what Kubernetes never changes in place: the release is made anew, volumes stay"
            )
        self._helm.uninstall(name)
        return self._helm.upgrade(name, chart, values, install=True)

    def _diagnosed(self, error: FloeError) -> FloeError:
        """The error with the most telling line of what the cluster knows, all of which is in the report."""
        folder = self._layout.report
        try:
            line = diagnosis.collect(self._cluster, self._settings, folder)
        except FloeError as silent:
            line = f"{silent.what}: {silent.why}"
        kind = type(error) if isinstance(error, (NotReadyError, WrongStateError)) else NotReadyError
        return kind(
            f"the release {self._settings.release} did not become ready",
            where=f"namespace {self._settings.namespace}, context {self._cluster.access.context}; logs in {folder}",
            why=f"{line}\n         {error.what}: {error.why}".rstrip(": "),
            remedy="see the report; `invoke platform.up --target cluster` tries again and heals the release first",
        )

    def _mark(self, value: str | None) -> None:
        annotations = {f"{MARK}-{self._settings.release}": value}
        path = f"/api/v1/namespaces/{self._settings.namespace}"
        self._cluster.request("PATCH", path, {"metadata": {"annotations": annotations}}, kind=MERGE)


def images(provider: Provider) -> tuple[list[BuiltImage], dict[str, Any]]:
    """The images that are to be loaded, and the values that name them.

    They are built here, except for a context that was not made here, which pulls the chart's own from their
    registries. `FLOE_IMAGES` says `built` or `registry` where that should be otherwise.

    Raises:
        UsageError: FLOE_IMAGES says something else.
    """
    source = os.environ.get(SOURCE) or (BUILT if provider.loads else REGISTRY)
    if source not in {BUILT, REGISTRY}:
        raise UsageError(
            "there are no such images", where=f"{SOURCE}={source}", why=f"it takes {BUILT} or {REGISTRY}", remedy=""
        )
    if source == REGISTRY:
        return [], {}
    from floe_ops.images import build

    with span("images"):
        made = build.ensure(IMAGES)
        return list(made.values()), build.overlay(made)


def fingerprint(chart: Path, overlay: dict[str, Any]) -> str:
    """A digest of every file of the chart and of the values on top of it."""
    digest = hashlib.sha256(json.dumps(overlay, sort_keys=True).encode())
    for path in sorted(chart.rglob("*")):
        if path.is_file() and "tests" not in path.relative_to(chart).parts[:1]:
            digest.update(f"{path.relative_to(chart)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:32]

"""The platform as the chart on a real Kubernetes, reached through forwards on loopback."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError, NotReadyError

from floe_ops import project
from floe_ops.services import CLUSTER
from floe_ops.targets.cluster import forwards, record
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.settings import settings
from floe_ops.targets.interface import Platform, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.targets.cluster.installing import Installation
    from floe_ops.targets.cluster.providers import Provider
    from floe_ops.targets.cluster.record import Record
    from floe_ops.targets.interface import CatalogKind
    from floe_ops.targets.seen import Finding, ServiceStatus

LOCK_S = 900.0  # another one may be installing
DELETE_S = 120.0
STAND_IN = "polaris-standin"


class ClusterTarget(Target):
    """The release `floe` in the namespace `floe-test` of the cluster that the providers find."""

    name = CLUSTER

    @property
    def layout(self) -> Layout:
        """Where its files are."""
        return Layout(project.root() / ".floe")

    def ensure(self) -> Platform:
        """Have a cluster, the release in it and the forwards to it; quick when all of it is there.

        Raises:
            MissingToolError: There is no cluster to be had, or no Helm.
            NotReadyError: The cluster or a component did not become ready; a report is left.
            UsageError: A cluster that was not made here is not touched without being named.
        """
        from floe_core.telemetry import span

        from floe_ops.targets import lease

        owner = lease.from_environment()
        with span("platform ensure", **{"floe.target": self.name}), self._locked():
            known = lease.living(self.layout.owners)
            lease.add(self.layout.owners, owner)
            try:
                platform = self._ensure(owner)
            except BaseException:
                if owner not in known:
                    lease.remove(self.layout.owners, owner)
                raise
        return platform

    def find(self) -> Platform | None:
        """The release that runs, with its forwards kept, or None; starts nothing. Secrets are read from the cluster."""
        cluster, kept = self._in_use(), forwards.find(self.layout)
        if cluster is None or kept is None:
            return None
        try:
            return _platform(cluster, kept)
        except MissingToolError:  # the cluster is gone, whatever its keeper says
            return None

    def down(self) -> None:
        """End the forwards, and stop the cluster where it was made here; elsewhere the release is scaled to nothing.

        Data, Secrets and the release stay in each case, and `ensure` brings all of it back.

        Raises:
            NotReadyError: Another process is busy with the platform.
        """
        from floe_ops.targets import lease

        with self._locked():
            lease.clear(self.layout.owners)
            forwards.end(self.layout)
            found = record.load(self.layout)
            if found is None:
                return
            if found.made_cluster:
                self._provider(found).stop()
            else:
                self._put_to_sleep(found)

    def reset(self) -> None:
        """End the forwards and delete the release with its data: with the cluster where it was made here.

        Elsewhere the release and its claims go, and the namespace where it was made here.

        Raises:
            NotReadyError: The namespace does not go, or another process is busy with the platform.
        """
        from floe_ops.targets import lease

        with self._locked():
            lease.clear(self.layout.owners)
            forwards.end(self.layout)
            found = record.load(self.layout)
            if found is not None:
                if found.made_cluster:
                    self._provider(found).delete()
                else:
                    self._uninstall(found)
            shutil.rmtree(self.layout.report, ignore_errors=True)
            for path in (self.layout.record, self.layout.forwards, self.layout.keeper_log):
                path.unlink(missing_ok=True)

    def release(self, pid: int) -> None:
        """Forget the owner `pid`; the last one ends the forwards, and the cluster if it was started for runs.

        Raises:
            NotReadyError: Another process is busy with the platform.
        """
        from floe_ops.targets import lease

        if not self.layout.owners.is_dir():
            return
        with self._locked():
            lease.remove(self.layout.owners, str(pid))
            if lease.living(self.layout.owners):
                return
            forwards.end(self.layout)
            found = record.load(self.layout)
            if found is not None and found.ends_with_owners:
                self._provider(found).let_go({str(pid)})

    def holdings(self) -> str:
        """The cluster that was made here, or the namespace in one that was not."""
        found = record.load(self.layout)
        if found is None:
            return "nothing: no cluster is in use"
        if found.made_cluster:
            return f"the {found.provider} cluster with all that is in it"
        return f"the release {found.release} and its volumes in {found.namespace} of the context {found.context}"

    def status(self) -> list[ServiceStatus]:
        """A row for each workload of the release, and one for the forwards."""
        from floe_ops.targets.cluster import status

        cluster = self._in_use()
        if cluster is None:
            return status.nothing()
        try:
            return status.look(cluster, settings(), forwards.find(self.layout))
        except MissingToolError:
            return status.nothing()

    def logs(self, service: str, count: int, *, follow: bool) -> Iterator[str]:
        """The last lines of the release's containers, init containers included; then what comes.

        Raises:
            MissingToolError: No cluster is in use.
            UsageError: The release has no such component.
        """
        from floe_ops.targets.cluster import logs

        cluster = self._in_use()
        if cluster is None:
            raise MissingToolError("there are no logs", why="no cluster is in use", remedy="run `invoke platform.up`")
        yield from logs.read(cluster, settings(), service, count, follow=follow)

    def report(self, folder: Path) -> None:
        """Write events and objects of the release too; what its Secrets hold is in none of it.

        Raises:
            MissingToolError: No cluster is in use, or it does not answer.
        """
        from floe_ops.targets.cluster import diagnosis

        found, chosen = record.load(self.layout), settings()
        if found is None:
            raise MissingToolError("there is nothing to report", why="no cluster is in use", remedy="")
        cluster = self._cluster(found)
        diagnosis.collect(cluster, chosen, folder)
        self._report(folder, diagnosis.redactor(cluster, chosen.namespace))

    def doctor(self) -> list[Finding]:
        """What this machine has and lacks: Helm, each provider, the cluster in use."""
        from floe_ops.targets.cluster.doctor import examine

        return examine(self.layout, settings())

    def _ensure(self, owner: str) -> Platform:
        from floe_ops.clients.kubernetes import Kubernetes
        from floe_ops.targets import lease
        from floe_ops.targets.cluster import endpoints, providers
        from floe_ops.targets.cluster.installing import Installation

        provider, before = providers.choose(self.layout, self._say), record.load(self.layout)
        ran = provider.runs()
        access = provider.up(owner)
        chosen = settings()
        same = before is not None and (before.provider, before.context) == (provider.name, access.context)
        kept = before if same else None
        found = record.Record(
            provider=provider.name,
            kubeconfig=str(access.kubeconfig),
            context=access.context,
            namespace=chosen.namespace,
            release=chosen.release,
            made_cluster=provider.makes,
            made_namespace=bool(kept and kept.made_namespace),
            ends_with_owners=(kept.ends_with_owners if kept and ran else not ran) and owner != lease.DESK,
        )
        found.save(self.layout)
        cluster = Kubernetes(access)
        self._say(f"{provider.name}: {cluster.version()} at {cluster.url}")
        done = Installation(cluster, chosen, self.layout, self._say).ensure(provider)
        self.took = done.took
        platform = _platform(cluster, forwards.ensure(self.layout, endpoints.find(cluster, chosen)))
        found = replace(
            found,
            made_namespace=found.made_namespace or done.made_namespace,
            catalog_kind=platform.catalog_kind,
        )
        found.save(self.layout)
        return platform

    def _provider(self, found: Record) -> Provider:
        from floe_ops.targets.cluster import providers

        return providers.named(found.provider, self.layout, self._say)

    def _in_use(self) -> Kubernetes | None:
        """The cluster that was taken, or None; one that was made here takes its kubeconfig away when it stops."""
        found = record.load(self.layout)
        if found is None or (found.made_cluster and not found.access.kubeconfig.is_file()):
            return None
        return self._cluster(found)

    def _cluster(self, found: Record) -> Kubernetes:
        from floe_ops.clients.kubernetes import Kubernetes

        return Kubernetes(found.access)

    def _installation(self, found: Record) -> Installation:
        from floe_ops.targets.cluster.installing import Installation

        return Installation(self._cluster(found), settings(), self.layout, self._say)

    def _put_to_sleep(self, found: Record) -> None:
        """Scale every workload of the release to nothing, and have the next `ensure` scale it up again."""
        from floe_ops.clients.kubernetes import MERGE
        from floe_ops.targets.cluster import progress

        cluster, chosen = self._cluster(found), settings()
        if cluster.namespace(chosen.namespace) is None:
            return
        self._installation(found).forget()
        for one in progress.workloads(cluster, chosen):
            path = f"/apis/apps/v1/namespaces/{chosen.namespace}/{one.kind.lower()}s/{one.name}"
            cluster.request("PATCH", path, {"spec": {"replicas": 0}}, kind=MERGE)

    def _uninstall(self, found: Record) -> None:
        """Remove the release with its claims and Secrets from a cluster that was not made here."""
        from floe_ops.clients import helm

        cluster, chosen = self._cluster(found), settings()
        if cluster.namespace(chosen.namespace) is None:
            return
        place = helm.Place(chosen.namespace, found.access.kubeconfig, found.context)
        try:
            helm.choose(place).uninstall(chosen.release)
        except helm.ReleaseMissingError:
            self._say(f"there was no release {chosen.release}")
        if found.made_namespace:
            cluster.delete_namespace(chosen.namespace, DELETE_S)
            return
        for kind in ("persistentvolumeclaims", "secrets"):
            path = f"/api/v1/namespaces/{chosen.namespace}/{kind}?labelSelector={chosen.selector}"
            cluster.request("DELETE", path)
        self._installation(found).forget()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            self.layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.layout.lock, timeout=LOCK_S):
                yield
        except Timeout:
            raise NotReadyError(
                "another process is busy with the platform",
                where=str(self.layout.lock),
                why=f"it did not finish within {LOCK_S:g} s",
                remedy="wait for it, or end it and try again",
            ) from None
        except OSError as error:
            raise FloeError(
                "the platform's files cannot be written",
                where=str(error.filename or self.layout.folder),
                why=error.strerror or str(error),
                remedy="make the folder writable for yourself, or free some disk space",
            ) from error


def _platform(cluster: Kubernetes, kept: forwards.Forwards) -> Platform:
    """The platform as its users see it; secrets come from the release's Secrets and are kept nowhere.

    Raises:
        NotReadyError: The release has no such Secrets.
    """
    chosen = settings()
    polaris = cluster.secret(chosen.namespace, f"{chosen.release}-polaris")
    store = cluster.secret(chosen.namespace, f"{chosen.release}-object-store")
    if polaris is None or store is None or not {"polaris", "polaris-management", "s3"} <= kept.ports.keys():
        raise MissingToolError(
            "the release has no catalog or no object store",
            where=f"release {chosen.release}, namespace {chosen.namespace}, context {cluster.access.context}",
            why="its Secrets or its Services are not there",
            remedy="run `invoke platform.up --target cluster`",
        )
    return Platform(
        target=CLUSTER,
        catalog_kind=_catalog_kind(cluster),
        urls=kept.urls,
        client_id=polaris["client-id"],
        catalog_s3_endpoint=f"http://{chosen.release}-object-store:9000",
        secrets={
            "polaris-client-secret": polaris["client-secret"],
            "s3-access-key": store["access-key"],
            "s3-secret-key": store["secret-key"],
        },
    )


def _catalog_kind(cluster: Kubernetes) -> CatalogKind:
    """What the catalog's pod runs, by its image."""
    chosen = settings()
    pods = cluster.pods(chosen.namespace, f"{chosen.selector},app.kubernetes.io/component=polaris")
    images = [container.image for pod in pods for container in pod.containers if not container.init]
    return "stand-in" if any(STAND_IN in image for image in images) else "polaris-image"

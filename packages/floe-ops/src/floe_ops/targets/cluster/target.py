"""The platform as the chart on a real Kubernetes, reached through forwards on loopback."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError, NotReadyError

from floe_ops import project
from floe_ops.services import CLUSTER, on_demand
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
    from floe_ops.targets.cluster.settings import Settings
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

    def ensure(self, *services: str) -> Platform:
        """Have a cluster, the release in it and the forwards to it; quick when all of it is there.

        Args:
            services: The chart has all of them always.

        Raises:
            MissingToolError: There is no cluster to be had, or no Helm.
            NotReadyError: The cluster or a component did not become ready; a report is left.
            UsageError: A cluster that was not made here is not touched without being named.
        """
        from floe_core.telemetry import span

        from floe_ops.targets import lease

        on_demand(self.name, services)
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
        found, kept = self._in_use(), forwards.find(self.layout)
        if found is None or kept is None:
            return None
        try:
            return _platform(self._cluster(found), found.settings, kept)
        except MissingToolError:  # the cluster is gone, whatever its keeper says
            return None

    def down(self) -> bool:
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
                return False
            if found.made_cluster:
                self._provider(found).stop()
            else:
                self._put_to_sleep(found)
            return True

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
                    self._say(f"the cluster of the context {found.context} was not made here: it stays")
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

        found = self._in_use()
        if found is None:
            return status.nothing()
        try:
            return status.look(self._cluster(found), found.settings, forwards.find(self.layout))
        except MissingToolError:
            return status.nothing()

    def logs(self, service: str, count: int, *, follow: bool) -> Iterator[str]:
        """The last lines of the release's containers, init containers included; then what comes.

        Raises:
            MissingToolError: No cluster is in use.
            UsageError: The release has no such component.
        """
        from floe_ops.targets.cluster import logs

        found = self._in_use()
        if found is None:
            raise MissingToolError("there are no logs", why="no cluster is in use", remedy="run `invoke platform.up`")
        yield from logs.read(self._cluster(found), found.settings, service, count, follow=follow)

    def report(self, folder: Path) -> None:
        """Write events and objects of the release too; what its Secrets hold is in none of it.

        Raises:
            MissingToolError: No cluster is in use, or it does not answer.
        """
        from floe_ops.targets.cluster import diagnosis

        found = record.load(self.layout)
        if found is None:
            raise MissingToolError("there is nothing to report", why="no cluster is in use", remedy="")
        cluster = self._cluster(found)
        diagnosis.collect(cluster, found.settings, folder)
        self._report(folder, diagnosis.redactor(cluster, found.namespace))

    def doctor(self) -> list[Finding]:
        """What this machine has and lacks: Helm, each provider, the cluster in use."""
        from floe_ops.targets.cluster.doctor import examine

        return examine(self.layout, settings())

    def _ensure(self, owner: str) -> Platform:
        from floe_ops.clients.kubernetes import Kubernetes
        from floe_ops.targets.cluster import endpoints, providers
        from floe_ops.targets.cluster.installing import Installation

        provider = providers.choose(self.layout, self._say)
        found = self._wanted(provider, owner)
        if provider.makes:  # one that is interrupted on its way up is there for `down` and `reset`
            self._take(found)
        access = provider.up(owner)
        cluster = Kubernetes(access)
        found = replace(found, server=cluster.url)
        self._take(found)
        self._say(f"{provider.name}: {cluster.version()} at {cluster.url}")
        done = Installation(cluster, found.settings, self.layout, self._say).ensure(provider)
        self.took = done.took
        kept = forwards.ensure(self.layout, endpoints.find(cluster, found.settings))
        platform = _platform(cluster, found.settings, kept)
        replace(
            found,
            made_namespace=found.made_namespace or done.made_namespace,
            catalog_kind=platform.catalog_kind,
        ).save(self.layout)
        return platform

    def _wanted(self, provider: Provider, owner: str) -> Record:
        """What is about to be taken into use; what was made here before stays so, where it is the very same."""
        from floe_ops.targets import lease

        before, ran, chosen = record.load(self.layout), provider.runs(), settings()
        found = record.Record(
            provider=provider.name,
            kubeconfig=str(provider.access.kubeconfig),
            context=provider.access.context,
            namespace=chosen.namespace,
            release=chosen.release,
            made_cluster=provider.makes,
        )
        lent = not ran
        if before is not None and ran and found.is_in_cluster_of(before):
            lent = before.ends_with_owners
        return replace(
            found,
            made_namespace=before is not None and before.made_namespace and found.is_release_of(before),
            ends_with_owners=lent and owner != lease.DESK,
        )

    def _take(self, found: Record) -> None:
        """Have it on record; what was in use before and is something else is left, and told of."""
        before = record.load(self.layout)
        if before is not None and not found.is_release_of(before):
            self._leave(before, found)
        found.save(self.layout)

    def _leave(self, before: Record, found: Record) -> None:
        """Stop a cluster that was made here when another one is taken; a release elsewhere is not touched."""
        where = f"the release {before.release} in {before.namespace} of the context {before.context}"
        if not before.made_cluster:
            self._say(f"{where} is left as it is: `invoke platform.reset` does not reach it any more")
            return
        if found.is_in_cluster_of(before):
            self._say(f"{where} is left as it is")
            return
        again = f"FLOE_CLUSTER={before.provider} invoke platform.up --target cluster"
        try:
            self._provider(before).stop()
        except FloeError as error:
            self._say(f"the {before.provider} cluster runs on: {error.what}: {error.why}")
        else:
            self._say(f"the {before.provider} cluster is stopped with what it holds; `{again}` goes back to it")

    def _provider(self, found: Record) -> Provider:
        from floe_ops.targets.cluster import providers

        return providers.named(found.provider, self.layout, self._say)

    def _in_use(self) -> Record | None:
        """The cluster that was taken, or None; one that was made here takes its kubeconfig away when it stops."""
        found = record.load(self.layout)
        if found is None or (found.made_cluster and not found.access.kubeconfig.is_file()):
            return None
        return found

    def _cluster(self, found: Record) -> Kubernetes:
        from floe_ops.clients.kubernetes import Kubernetes

        return Kubernetes(found.access)

    def _installation(self, found: Record) -> Installation:
        from floe_ops.targets.cluster.installing import Installation

        return Installation(self._cluster(found), found.settings, self.layout, self._say)

    def _put_to_sleep(self, found: Record) -> None:
        """Scale every workload of the release to nothing, and have the next `ensure` scale it up again."""
        from floe_ops.clients.kubernetes import MERGE
        from floe_ops.targets.cluster import progress

        cluster, chosen = self._cluster(found), found.settings
        if cluster.namespace(chosen.namespace) is None:
            return
        self._installation(found).forget()
        for one in progress.workloads(cluster, chosen):
            path = f"/apis/apps/v1/namespaces/{chosen.namespace}/{one.kind.lower()}s/{one.name}"
            cluster.request("PATCH", path, {"spec": {"replicas": 0}}, kind=MERGE)

    def _uninstall(self, found: Record) -> None:
        """Remove the release with its claims and Secrets from a cluster that was not made here."""
        from floe_ops.clients import helm

        cluster, chosen = self._cluster(found), found.settings
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


def _platform(cluster: Kubernetes, chosen: Settings, kept: forwards.Forwards) -> Platform:
    """The platform as its users see it; secrets come from the release's Secrets and are kept nowhere.

    Raises:
        NotReadyError: The release has no such Secrets.
    """
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
        catalog_kind=_catalog_kind(cluster, chosen),
        urls=kept.urls,
        client_id=polaris["client-id"],
        catalog_s3_endpoint=f"http://{chosen.release}-object-store:9000",
        secrets={
            "polaris-client-secret": polaris["client-secret"],
            "s3-access-key": store["access-key"],
            "s3-secret-key": store["secret-key"],
        },
    )


def _catalog_kind(cluster: Kubernetes, chosen: Settings) -> CatalogKind:
    """What the catalog's pod runs, by its image."""
    pods = cluster.pods(chosen.namespace, f"{chosen.selector},app.kubernetes.io/component=polaris")
    images = [container.image for pod in pods for container in pod.containers if not container.init]
    return "stand-in" if any(STAND_IN in image for image in images) else "polaris-image"

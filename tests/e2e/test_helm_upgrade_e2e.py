"""WU-1, T5: an upgrade on a real cluster changes what was asked for and keeps the rest, whatever becomes of its Helm.

The first tests change the platform's own release and leave it as they found it; the last ones have a small release of
their own, which a killed Helm leaves stuck, which is installed anew, and is then upgraded from the chart before this.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
import yaml
from botocore.config import Config
from floe_core.errors import NotReadyError
from floe_ops import readiness, toolchain, warehouse
from floe_ops.clients.helm import Helm, ReleaseBusyError, ReleaseMissingError, Status, Values
from floe_ops.clients.kubernetes import MERGE, RESTRICTED
from floe_ops.clients.object_store import BucketState
from floe_ops.products.reading import open_catalog
from floe_ops.release import CannotHealError, Reinstall, Terms, heal
from floe_ops.targets import lease
from floe_ops.targets.cluster import endpoints, forwards
from floe_ops.targets.cluster.installing import MARK
from floe_ops.targets.cluster.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_ops.clients.kubernetes_objects import Document
    from floe_ops.targets import Platform
    from floe_ops.targets.cluster import ClusterTarget

    from tests.e2e.conftest import Installed

pytestmark = [pytest.mark.cluster, pytest.mark.platform, pytest.mark.timeout(300)]

MAJORS = {"3": "helm", "4": "helm4"}
DEADLINE_S = 150.0
NOW = Terms(stuck_after_s=0, deadline_s=DEADLINE_S)
CHANGED = {"otel": {"batchTimeout": "250ms"}}
BEFORE = "0.0.9"
ROWS = [{"id": number, "name": f"row {number}"} for number in range(50)]
ROW = "create table kept_by_upgrades (words text); insert into kept_by_upgrades values ('a row')"
UNROW = "drop table if exists kept_by_upgrades"
SMALL = {"requests": {"cpu": "10m", "memory": "32Mi"}}
TRIMMED: dict[str, Any] = {
    **{name: {"enabled": False} for name in ("otel", "jaeger", "dagster", "cube")},
    **{name: {"resources": SMALL} for name in ("postgresql", "objectStore", "polaris", "bootstrap")},
}


def merged(values: Document, changes: Document) -> Document:
    """Values with changes over them, as Helm merges two files."""
    deeper = {
        key: merged(values.get(key) or {}, value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return values | deeper


@dataclass(frozen=True)
class Planted:
    """Data in every store of a release: a row, an object, a table. No upgrade may touch them.

    Attributes:
        installed: The release.
        platform: How to reach it.
        name: Of the object, and of the table's namespace.
        before: Digests of its Secrets, and the uids of its claims, as they were when the data was planted.
    """

    installed: Installed
    platform: Platform
    name: str
    before: dict[str, str]

    @classmethod
    def plant(cls, installed: Installed, platform: Platform) -> Planted:
        made = cls(installed, platform, f"kept_{secrets.token_hex(4)}", kept(installed))
        installed.sql("dagster", f"{UNROW}; {ROW}")
        made.store().put_object(Bucket=platform.bucket, Key=made.name, Body=b"an object")
        catalog = open_catalog(platform)
        catalog.create_namespace(made.name)
        rows = pa.Table.from_pylist(ROWS)
        catalog.create_table((made.name, "kept"), schema=rows.schema).append(rows)
        return made

    def store(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.platform.urls["s3"],
            aws_access_key_id=self.platform.secrets["s3-access-key"],
            aws_secret_access_key=self.platform.secrets["s3-secret-key"],
            region_name=self.platform.region,
            config=Config(s3={"addressing_style": "path"}),
        )

    def is_there(self) -> None:
        """The data, each piece by value; Secrets and claims as they were; the catalog right by value."""
        assert kept(self.installed) == self.before
        self.installed.until_whole()
        ready = readiness.wait(lambda: warehouse.of_platform(self.platform), readiness.Terms(45, streak=2))
        assert ready.catalog == self.platform.catalog
        assert self.installed.sql("dagster", "select words from kept_by_upgrades") == "a row"
        assert self.store().get_object(Bucket=self.platform.bucket, Key=self.name)["Body"].read() == b"an object"
        table = open_catalog(self.platform).load_table((self.name, "kept"))
        assert table.scan().to_arrow().sort_by("id").to_pylist() == ROWS

    def remove(self) -> None:
        self.installed.sql("dagster", UNROW)
        self.store().delete_object(Bucket=self.platform.bucket, Key=self.name)
        open_catalog(self.platform).drop_table((self.name, "kept"))
        open_catalog(self.platform).drop_namespace(self.name)


def kept(installed: Installed) -> dict[str, str]:
    """Each value of each Secret, by its digest: a failure may show this. And the uid of each claim."""
    found: dict[str, str] = {}
    for one in listed(installed, "secrets"):
        if not one["type"].startswith("helm.sh/"):
            for key, value in one["data"].items():
                found[f"{one['metadata']['name']}.{key}"] = hashlib.sha256(value.encode()).hexdigest()
    return found | {
        one["metadata"]["name"]: one["metadata"]["uid"] for one in listed(installed, "persistentvolumeclaims")
    }


def listed(installed: Installed, plural: str) -> list[Document]:
    path = f"/api/v1/namespaces/{installed.namespace}/{plural}"
    return list((installed.cluster.get(path) or {})["items"])


def helm_of(installed: Installed, major: str) -> Helm:
    return Helm(toolchain.ensure(MAJORS[major]), installed.helm.place, deadline_s=DEADLINE_S)


def newest(installed: Installed) -> tuple[int, Status]:
    revision = installed.helm.history(installed.settings.release)[-1]
    return revision.number, revision.status


def batch_timeout(installed: Installed) -> str:
    """As the collector of the cluster is configured."""
    path = f"/api/v1/namespaces/{installed.namespace}/configmaps/{installed.settings.release}-otel"
    (text,) = (installed.cluster.get(path) or {})["data"].values()
    return str(yaml.safe_load(text)["processors"]["batch"]["timeout"])


@contextmanager
def killed_in_the_middle(
    helm: Helm, installed: Installed, chart: Path, values: Document, began: Callable[[], object]
) -> Iterator[None]:
    """Somebody's Helm that applies this; killed with SIGKILL as soon as `began` says that the cluster has it."""
    verb = "upgrade" if helm.history(installed.settings.release) else "install"
    wait = "--wait" if helm.version.major == 3 else "--wait=watcher"
    place = ["--namespace", installed.namespace, "--kubeconfig", str(helm.place.kubeconfig)]
    place += ["--kube-context", helm.place.context]
    words = [str(helm.program), verb, installed.settings.release, str(chart), wait, "--values", "-", *place]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(yaml.safe_dump(values).encode())
            process.stdin.close()
            installed.until(began, f"Helm is in the middle of its {verb}", 40)
            assert process.poll() is None, f"Helm ended by itself with {process.returncode}"
        finally:
            process.kill()
    yield


@pytest.fixture(scope="module")
def values(installed: Installed) -> Iterator[Document]:
    """What the release was given; it has that again afterwards, and the target knows that it has."""
    release = installed.settings.release
    given, (before, _) = installed.helm.values(release), newest(installed)
    yield given
    heal(installed.helm, release, NOW)
    if installed.helm.values(release) != given:
        installed.helm.upgrade(release, installed.settings.chart, Values(inline=given))
    note = f"{MARK}-{release}"
    namespace = installed.cluster.namespace(installed.namespace) or {}
    digest, _, revision = (namespace["metadata"].get("annotations") or {}).get(note, "").partition(" ")
    if revision == str(before):
        annotations = {note: f"{digest} {newest(installed)[0]}"}
        path = f"/api/v1/namespaces/{installed.namespace}"
        installed.cluster.request("PATCH", path, {"metadata": {"annotations": annotations}}, kind=MERGE)


@pytest.fixture(scope="module")
def planted(installed: Installed, platform: Platform) -> Iterator[Planted]:
    made = Planted.plant(installed, platform)
    yield made
    made.remove()


@pytest.mark.requirement("WU1-AC5", "WU1-AC1")
def test_an_upgrade_changes_what_was_asked_for_and_nothing_else(
    installed: Installed, values: Document, planted: Planted
) -> None:
    pods, history = installed.uids(), installed.helm.history(installed.settings.release)
    assert batch_timeout(installed) == "100ms"
    done = helm_of(installed, "3").upgrade(
        installed.settings.release, installed.settings.chart, Values(inline=merged(values, CHANGED))
    )
    assert (done.revision, done.status) == (history[-1].number + 1, Status.DEPLOYED)
    assert [one.number for one in installed.helm.history(installed.settings.release)][-2:] == [
        history[-1].number,
        history[-1].number + 1,
    ]
    assert batch_timeout(installed) == "250ms"
    planted.is_there()
    now = installed.uids()
    assert {name for name in pods if now[name] != pods[name]} == {"otel"}


@pytest.mark.requirement("WU1-AC5", "WU1-BC5")
@pytest.mark.parametrize("major", list(MAJORS))
def test_a_helm_that_is_killed_in_the_middle_of_an_upgrade_is_healed_and_the_upgrade_goes_on(
    installed: Installed, values: Document, planted: Planted, major: str
) -> None:
    helm, release, chart = helm_of(installed, major), installed.settings.release, installed.settings.chart
    before, timeout = newest(installed), batch_timeout(installed)
    assert before[1] is Status.DEPLOYED
    other = merged(values, {"otel": {"batchTimeout": "400ms"}})
    with killed_in_the_middle(helm, installed, chart, other, lambda: batch_timeout(installed) == "400ms"):
        assert newest(installed) == (before[0] + 1, Status.PENDING_UPGRADE)
        with pytest.raises(ReleaseBusyError):
            helm.upgrade(release, chart, Values(inline=values))
    outcome = heal(helm, release, NOW)
    assert (outcome.state, outcome.found, outcome.target) == ("healed", Status.PENDING_UPGRADE, before[0])
    assert newest(installed) == (before[0] + 2, Status.DEPLOYED)
    assert batch_timeout(installed) == timeout
    planted.is_there()
    helm.upgrade(release, chart, Values(inline=values))
    assert newest(installed) == (before[0] + 3, Status.DEPLOYED)
    assert batch_timeout(installed) == "100ms"
    planted.is_there()


@pytest.fixture(scope="module")
def scratch(installed: Installed) -> Iterator[Installed]:
    """A namespace for a small release of these tests' own."""
    release = f"small-{secrets.token_hex(3)}"
    installed.cluster.ensure_namespace(release, RESTRICTED)
    helm = Helm(toolchain.ensure("helm"), replace(installed.helm.place, namespace=release), deadline_s=DEADLINE_S)
    yield replace(installed, helm=helm, settings=Settings(release, release, installed.settings.chart))
    with suppress(ReleaseMissingError):
        helm.uninstall(release)  # first, since a namespace that holds pods takes its time: half a minute a look
    installed.until(lambda: not installed.cluster.pods(release), "the pods of the small release are gone", 70)
    installed.cluster.delete_namespace(release, 120)


@pytest.fixture(scope="module")
def small(values: Document) -> Document:
    """The release's values with no more on than the catalog needs, and room for it beside the platform."""
    return merged(values, TRIMMED)


@pytest.fixture(scope="module")
def chart_before(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This chart as the version before it."""
    folder = tmp_path_factory.mktemp("before") / "floe-platform"
    shutil.copytree(installed.settings.chart, folder, ignore=shutil.ignore_patterns("tests"))
    about = yaml.safe_load((folder / "Chart.yaml").read_text())
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about | {"version": BEFORE, "appVersion": BEFORE}))
    return folder


@pytest.mark.requirement("WU1-AC5")
def test_an_install_that_was_killed_is_refused_with_a_plan_and_made_anew_where_that_is_asked_for(
    scratch: Installed, small: Document, chart_before: Path
) -> None:
    release = scratch.settings.release
    with killed_in_the_middle(scratch.helm, scratch, chart_before, small, lambda: scratch.pods("postgresql")):
        history = scratch.helm.history(release)
    assert [(one.number, one.status) for one in history] == [(1, Status.PENDING_INSTALL)]
    with pytest.raises(CannotHealError) as caught:
        heal(scratch.helm, release, NOW)
    assert "no revision of this release was ever deployed" in caught.value.why
    assert f"helm uninstall {release} --namespace {scratch.namespace}" in caught.value.remedy
    assert scratch.helm.history(release) == history
    outcome = heal(scratch.helm, release, NOW, reinstall=Reinstall(chart_before, Values(inline=small)))
    assert outcome.actions == ("uninstalled revision 1", "installed")
    assert newest(scratch) == (1, Status.DEPLOYED)


@pytest.mark.requirement("WU1-AC7", "WU1-AC1")
def test_an_upgrade_from_the_chart_before_keeps_data_and_secrets(
    scratch: Installed, small: Document, chart_before: Path, another: Callable[[str, str], ClusterTarget]
) -> None:
    release, helm = scratch.settings.release, scratch.helm
    if not helm.history(release):  # this test alone
        helm.install(release, chart_before, Values(inline=small))
    target = another(release, scratch.namespace)
    lease.add(target.layout.owners, str(os.getpid()))
    forwards.ensure(target.layout, endpoints.find(scratch.cluster, scratch.settings))
    platform = target.find()
    assert platform is not None
    assert warehouse.of_platform(platform).object_store().check("floe-iceberg").state is BucketState.PRESENT
    planted, pods = Planted.plant(scratch, platform), scratch.uids()
    number, _ = newest(scratch)
    done = helm.upgrade(release, scratch.settings.chart, Values(inline=small))
    assert (done.revision, done.status) == (number + 1, Status.DEPLOYED)
    name = f"floe-platform-{yaml.safe_load((scratch.settings.chart / 'Chart.yaml').read_text())['version']}"
    assert [one.chart for one in helm.history(release)][-2:] == [f"floe-platform-{BEFORE}", name]
    planted.is_there()
    assert scratch.uids() == pods  # a new version of the chart alone starts no pod anew


@pytest.mark.requirement("WU1-AC5", "WU1-BC5")
def test_a_store_that_never_became_ready_gives_way_when_its_release_is_rolled_back(
    scratch: Installed, small: Document
) -> None:
    """A StatefulSet waits for a pod that is not ready before it replaces it, unless it was told not to."""
    release, chart = scratch.settings.release, scratch.settings.chart
    if not scratch.helm.history(release):  # this test alone
        scratch.helm.install(release, chart, Values(inline=small))
    (number, _), before = newest(scratch), kept(scratch)
    broken = merged(small, {"objectStore": {"minio": {"image": {"tag": "never-made"}}}})
    with pytest.raises(NotReadyError):
        scratch.helm.within(10).upgrade(release, chart, Values(inline=broken))
    assert newest(scratch) == (number + 1, Status.FAILED)
    assert any("object-store" in lack for lack in scratch.missing())
    assert heal(scratch.helm, release, NOW).target == number
    assert newest(scratch) == (number + 2, Status.DEPLOYED)
    scratch.until_whole()
    assert kept(scratch) == before

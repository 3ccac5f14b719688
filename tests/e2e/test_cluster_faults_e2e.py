"""WU-1 on a real cluster: after each fault the data is there, the catalog is right by value, the release is deployed.

The tests stand in an order in which what one of them leaves is what the next one begins with. Whatever happens, each
ends with the platform whole again.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
import requests
from floe_core.errors import ExitCode, NotReadyError
from floe_ops import readiness, warehouse
from floe_ops.clients.helm import Status
from floe_ops.clients.object_store import BucketState
from floe_ops.products.reading import open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.clients.kubernetes_objects import Document, Job, Pod
    from floe_ops.targets import Platform
    from pyiceberg.catalog import Catalog

    from tests.e2e.conftest import Installed

pytestmark = [pytest.mark.cluster, pytest.mark.platform, pytest.mark.timeout(240)]

ROWS = [{"id": number, "name": f"row {number}"} for number in range(100)]
DOWN_S = 30.0
GATE_S = 45.0
ENDS_S = 15.0  # half of what a pod is given before it is killed
KILLED = 137  # 128 and SIGKILL
TEMPLATE = "job-polaris-bootstrap.yaml"
PLANTED = "fault"
EAT = "held = []\nwhile True:\n    held.append(bytearray(1 << 20))"


@dataclass(frozen=True)
class Ground:
    """The platform, a table in it that was there before every fault, and the revision that was deployed then."""

    installed: Installed
    platform: Platform
    namespace: str
    revision: int

    def catalog(self) -> Catalog:
        return open_catalog(self.platform)

    def rows(self) -> Any:
        return self.catalog().load_table((self.namespace, "kept")).scan().to_arrow().sort_by("id").to_pylist()

    def open(self) -> readiness.Ready:
        """The gate, which compares the catalog by value."""
        return readiness.wait(lambda: warehouse.of_platform(self.platform), readiness.Terms(GATE_S, streak=2))

    def holds(self) -> None:
        """What is asked after every fault."""
        self.installed.until_whole()
        ready = self.open()
        assert ready.catalog == self.platform.catalog
        assert self.rows() == ROWS
        release = self.installed.helm.status(self.installed.settings.release)
        assert (release.status, release.revision) == (Status.DEPLOYED, self.revision)

    def bootstrap(self, name: str, *, timeout_s: int, retries: int, secret: str = "") -> str:
        """Start the chart's own bootstrap Job under another name; `secret` gives it another client secret."""
        job = self.installed.rendered(TEMPLATE)
        job["metadata"] |= {"name": f"{self.installed.settings.release}-{PLANTED}-{name}", "annotations": {}}
        job["spec"]["backoffLimit"] = retries
        container = job["spec"]["template"]["spec"]["containers"][0]
        container["args"] = ["bootstrap", "--timeout", str(timeout_s)]
        for variable in container["env"]:
            if secret and variable["name"] == "POLARIS_CLIENT_SECRET":
                variable["valueFrom"]["secretKeyRef"]["name"] = secret
        self.installed.cluster.apply(job)
        return str(job["metadata"]["name"])

    def job(self, name: str) -> Job:
        (found,) = (job for job in self.installed.cluster.jobs(self.installed.namespace) if job.name == name)
        return found

    def attempts(self, name: str) -> list[Pod]:
        """The pods of a Job, oldest first."""
        found = self.installed.cluster.pods(self.installed.namespace, f"batch.kubernetes.io/job-name={name}")
        return sorted(found, key=lambda pod: str(pod.document["metadata"]["creationTimestamp"]))

    def log(self, pod: Pod) -> str:
        return self.installed.cluster.logs(self.installed.namespace, pod.name, pod.containers[-1].name)

    def ends_well(self, name: str, deadline_s: float) -> Job:
        """Wait until the Job has ended well; a failure tells what its attempts said last."""

        def said() -> list[str]:
            return [f"{pod.phase}: {self.log(pod)[-300:]}" for pod in self.attempts(name)]

        self.installed.until(lambda: self.job(name).succeeded, f"{name} ended well", deadline_s, said)
        return self.job(name)

    def at_once(self, pod: Pod) -> None:
        """Take a pod away as a node that dies does: with no time to end."""
        path = f"/api/v1/namespaces/{self.installed.namespace}/pods/{pod.name}?gracePeriodSeconds=0"
        self.installed.cluster.request("DELETE", path)


@pytest.fixture(scope="module")
def ground(installed: Installed, platform: Platform) -> Iterator[Ground]:
    """A table of a hundred rows, written through the catalog; gone afterwards."""
    name = f"faults_{secrets.token_hex(4)}"
    revision = installed.helm.status(installed.settings.release).revision
    made = Ground(installed, platform, name, revision)
    catalog = made.catalog()
    catalog.create_namespace(name)
    rows = pa.Table.from_pylist(ROWS)
    catalog.create_table((name, "kept"), schema=rows.schema).append(rows)
    yield made
    made.catalog().drop_table((name, "kept"))
    made.catalog().drop_namespace(name)


@pytest.fixture(autouse=True)
def whole_again(installed: Installed) -> Iterator[None]:
    """Whatever a test has done or left undone: what it scaled is back, what it planted is gone, all is ready."""
    yield
    installed.scale("deployments", "polaris", 1)
    installed.scale("statefulsets", "object-store", 1)
    planted = f"{installed.settings.release}-{PLANTED}-"
    for kind in ("batch/jobs", "core/pods", "core/secrets"):
        group, plural = kind.split("/")
        root = "/api/v1" if group == "core" else "/apis/batch/v1"
        found = installed.cluster.get(f"{root}/namespaces/{installed.namespace}/{plural}") or {"items": []}
        for one in found["items"]:
            if one["metadata"]["name"].startswith(planted):
                installed.delete(f"{kind}/{one['metadata']['name']}")
    installed.until_whole(120)


def ended(pod: Pod) -> Document:
    """How the pod's last container ended; empty while it runs."""
    states = pod.document["status"].get("containerStatuses") or [{}]
    return dict(states[-1].get("state", {}).get("terminated") or {})


@pytest.mark.requirement("WU1-AC3", "WU1-BC2")
def test_polaris_that_is_not_ready_in_time_fails_the_attempt_and_the_job_retries_until_it_is(ground: Ground) -> None:
    installed = ground.installed
    (pod,) = installed.pods("polaris")
    installed.scale("deployments", "polaris", 0)
    path = f"/api/v1/namespaces/{installed.namespace}/pods/{pod.name}"
    installed.until(lambda: installed.cluster.get(path) is None, "Polaris ends when it is told to", ENDS_S)
    with pytest.raises(NotReadyError):
        readiness.wait(lambda: warehouse.of_platform(ground.platform), readiness.Terms(1.0))
    name = ground.bootstrap("retries", timeout_s=3, retries=6)
    installed.until(lambda: ground.job(name).failed, "the first attempt failed", 40)
    first = ground.attempts(name)[0]
    assert ended(first)["exitCode"] == ExitCode.TIMEOUT
    assert "Polaris was not ready within 3 s" in ground.log(first)
    assert not ground.job(name).why, "one attempt that fails is not the end of the Job"
    installed.scale("deployments", "polaris", 1)
    done = ground.ends_well(name, 90)
    assert done.failed >= 1
    ground.holds()


@pytest.mark.requirement("WU1-AC3", "WU1-BC2")
def test_the_object_store_is_down_for_30_s_and_polaris_is_deleted_during_the_bootstrap_that_waits_for_it(
    ground: Ground,
) -> None:
    installed, store = ground.installed, warehouse.of_platform(ground.platform)
    (pod,) = installed.pods("object-store")
    installed.scale("statefulsets", "object-store", 0)
    ground.at_once(pod)
    down = time.monotonic()

    def away() -> bool:
        return store.object_store().check(store.bucket).state is BucketState.UNREACHABLE

    installed.until(away, "the object store does not answer", 10)
    name = ground.bootstrap("waits", timeout_s=90, retries=6)
    installed.until(
        lambda: any("bootstrap of catalog" in ground.log(pod) for pod in ground.attempts(name)),
        "the bootstrap has begun",
        30,
    )
    installed.until(lambda: time.monotonic() - down > DOWN_S, "the time it is down", DOWN_S + 5)
    assert away()
    assert not installed.pods("object-store")
    running = ground.job(name)
    assert (running.active, running.succeeded) == (1, 0)
    (polaris,) = installed.pods("polaris")
    ground.at_once(polaris)
    installed.scale("statefulsets", "object-store", 1)
    ground.ends_well(name, 120)
    assert polaris.name not in {pod.name for pod in installed.pods("polaris")}
    ground.holds()


@pytest.mark.requirement("WU1-AC4", "WU1-BC4")
def test_wrong_credentials_end_the_job_with_3_and_name_client_and_endpoint_never_the_secret(ground: Ground) -> None:
    installed, wrong = ground.installed, f"planted-{secrets.token_hex(12)}"
    secret = f"{installed.settings.release}-{PLANTED}-wrong"
    about = {"name": secret, "namespace": installed.namespace}
    installed.cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": {"client-secret": wrong}}
    )
    name = ground.bootstrap("refused", timeout_s=20, retries=0, secret=secret)
    installed.until(lambda: ground.job(name).why, "the Job was given up", 40)
    (attempt,) = ground.attempts(name)
    said = ground.log(attempt)
    assert ended(attempt)["exitCode"] == ExitCode.REFUSED, said
    assert f"client '{ground.platform.client_id}'" in said
    assert f"http://{installed.settings.release}-polaris:8181/api/catalog/v1/oauth/tokens" in said
    assert "Traceback" not in said
    events = " ".join(event.message for event in installed.cluster.events(installed.namespace))
    for text in (said, events, str(attempt.document)):
        assert wrong not in text
    ground.holds()


@pytest.mark.requirement("WU1-AC3", "WU1-AC1")
def test_the_gate_looks_at_the_api_and_not_at_a_job(ground: Ground) -> None:
    """The hook deletes its Job once it ended well; a Job that is complete opens the gate for no other catalog."""
    installed = ground.installed
    assert f"{installed.settings.release}-polaris-bootstrap" not in {
        job.name for job in installed.cluster.jobs(installed.namespace)
    }
    name = ground.bootstrap("complete", timeout_s=30, retries=0)
    ground.ends_well(name, 40)
    other = warehouse.of_platform(ground.platform).named("never-made")
    with pytest.raises(NotReadyError, match="never-made"):
        readiness.wait(lambda: other, readiness.Terms(1.0))
    installed.delete(f"batch/jobs/{name}")
    assert ground.open().streak == 2
    ground.holds()


@pytest.mark.requirement("WU1-AC3")
def test_a_pod_that_eats_memory_is_killed_at_its_limit_and_the_platform_does_not_notice(ground: Ground) -> None:
    installed = ground.installed
    before = {pod.name: pod.restarts for pod in installed.pods()}
    spec = installed.rendered(TEMPLATE)["spec"]["template"]["spec"]
    container = spec["containers"][0] | {"command": ["python", "-c", EAT], "args": [], "env": []}
    container["resources"] = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}}
    name = f"{installed.settings.release}-{PLANTED}-eats"
    about = {"name": name, "namespace": installed.namespace, "labels": {PLANTED: "eats"}}
    installed.cluster.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec | {"containers": [container]}}
    )

    def eater() -> Pod:
        (pod,) = installed.cluster.pods(installed.namespace, f"{PLANTED}=eats")
        return pod

    seen = installed.until(lambda: ended(eater()), "the pod was ended", 40, lambda: eater().document["status"])
    assert (seen["reason"], seen["exitCode"]) == ("OOMKilled", KILLED)
    assert {pod.name: pod.restarts for pod in installed.pods()} == before
    ground.holds()


@pytest.mark.requirement("WU1-AC3")
def test_postgresql_is_restarted_and_polaris_and_dagster_find_it_again_by_themselves(ground: Ground) -> None:
    installed = ground.installed
    before = installed.uids()
    (pod,) = installed.pods("postgresql")
    installed.delete(f"core/pods/{pod.name}")
    installed.until(
        lambda: (now := installed.uids().get("postgresql")) and now != before["postgresql"] and not installed.missing(),
        "another PostgreSQL, and every component ready",
        90,
        installed.missing,
    )
    url = f"{ground.platform.urls['dagster']}/graphql"
    question = {"query": "{ runsOrError { __typename ... on PythonError { message } } }"}

    def runs() -> Any:
        return requests.post(url, json=question, timeout=10).json().get("data") or {}

    answer = installed.until(
        lambda: (said := runs().get("runsOrError", {})) and said["__typename"] == "Runs" and said,
        "Dagster reads its runs from PostgreSQL",
        30,
        runs,
    )
    assert answer == {"__typename": "Runs"}
    after = installed.uids()
    assert {name for name in before if after.get(name) != before[name]} == {"postgresql"}
    ground.holds()

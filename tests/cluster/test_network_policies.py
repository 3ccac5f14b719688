"""The chart's NetworkPolicies hold: a pod that nobody named is refused where one of the release's own is served.

Only a network that enforces policies can show it, as kind's does; see `Provider.enforces_policies`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from floe_ops.clients.kubernetes import Kubernetes
from floe_ops.targets.cluster import ClusterTarget, record
from floe_ops.targets.cluster.settings import Settings, settings
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NEEDS_ENFORCED_POLICIES = True
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]  # a first install loads the images

DOORS = {"polaris": 8181, "postgresql": 5432, "object-store": 9000}
DONE_S = 90.0
# Reached, refused by the policy (nothing answers, or the network says so), or a fault of another kind, by door.
LOOK = """
import json, socket, sys
found = {}
for name, (host, port) in json.loads(sys.argv[1]).items():
    try:
        address = socket.getaddrinfo(host, port, socket.AF_INET)[0][4]
        socket.create_connection(address, timeout=4).close()
        found[name] = "reached"
    except (TimeoutError, ConnectionRefusedError, PermissionError):
        found[name] = "refused"
    except OSError as error:
        found[name] = repr(error)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Release:
    """The release in a cluster."""

    cluster: Kubernetes
    chosen: Settings

    def image(self) -> str:
        """The floe image, which has Python and is on the node."""
        selector = f"{self.chosen.selector},app.kubernetes.io/component=dagster-user-code"
        return self.cluster.pods(self.chosen.namespace, selector)[0].containers[-1].image


@pytest.fixture(scope="module")
def release() -> Release:
    target = ClusterTarget()
    target.ensure()
    found = record.load(target.layout)
    assert found is not None
    return Release(Kubernetes(found.access), settings())


@pytest.fixture
def look(release: Release) -> Iterator[Callable[[str, dict[str, str]], dict[str, str]]]:
    """A function that tries every door from a new pod of those labels in a namespace, and says what came of each."""
    made: list[str] = []

    def run(namespace: str, labels: dict[str, str]) -> dict[str, str]:
        name = f"door-{secrets.token_hex(4)}"
        path = f"/api/v1/namespaces/{namespace}/pods"
        release.cluster.request("POST", path, pod(name, release, labels))
        made.append(f"{path}/{name}")
        return said(release.cluster, namespace, name)

    yield run
    for path in made:
        release.cluster.request("DELETE", path)


@pytest.fixture
def elsewhere(release: Release) -> Iterator[str]:
    """A namespace that the release knows nothing of."""
    name = f"floe-elsewhere-{secrets.token_hex(3)}"
    release.cluster.ensure_namespace(name, {})
    yield name
    release.cluster.delete_namespace(name, 60)


def pod(name: str, release: Release, labels: dict[str, str]) -> dict[str, Any]:
    """A pod that Pod Security `restricted` admits."""
    doors = {door: (f"{release.chosen.release}-{door}.{release.chosen.namespace}", at) for door, at in DOORS.items()}
    container = {
        "name": "look",
        "image": release.image(),
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", LOOK, json.dumps(doors)],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def said(cluster: Kubernetes, namespace: str, name: str) -> dict[str, str]:
    """What the pod printed, once it has ended."""
    phase = Retrying(
        stop=stop_after_delay(DONE_S),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        retry=retry_if_result(lambda seen: seen not in {"Succeeded", "Failed"}),
        retry_error_callback=lambda _state: "it did not end",
    )(lambda: next(pod.phase for pod in cluster.pods(namespace) if pod.name == name))
    text = cluster.logs(namespace, name, "look")
    assert phase == "Succeeded", text
    told: dict[str, str] = json.loads(text)
    return told


def of_the_release(release: Release, component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "floe-platform",
        "app.kubernetes.io/instance": release.chosen.release,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "floe",
    }


def test_a_pod_that_nobody_named_is_refused_at_every_door(
    release: Release, look: Callable[[str, dict[str, str]], dict[str, str]]
) -> None:
    assert look(release.chosen.namespace, {}) == dict.fromkeys(DOORS, "refused")


def test_a_pod_of_another_namespace_is_refused_whatever_its_labels(
    release: Release, elsewhere: str, look: Callable[[str, dict[str, str]], dict[str, str]]
) -> None:
    assert look(elsewhere, of_the_release(release, "dagster-run")) == dict.fromkeys(DOORS, "refused")


@pytest.mark.parametrize(
    ("component", "closed"),
    [
        ("dagster-run", set()),
        ("polaris-bootstrap", {"postgresql"}),
        ("dagster-daemon", {"polaris", "object-store"}),
    ],
)
def test_a_component_reaches_what_it_needs_and_nothing_else(
    release: Release, look: Callable[[str, dict[str, str]], dict[str, str]], component: str, closed: set[str]
) -> None:
    """The same program, so that a refusal is the policy's and not that of a service that does not answer."""
    seen = look(release.chosen.namespace, of_the_release(release, component))
    assert seen == {door: "refused" if door in closed else "reached" for door in DOORS}

"""WU-6: the RBAC plugin against a real Kubernetes API server, which says itself what each right allows."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import requests
from floe_core.plugins import LAUNCH_RIGHTS, Right, RightsRequest
from floe_ops import project, toolchain
from floe_ops.kube_api import ApiServer, api_server
from floe_rbac_k8s.plugin import KubernetesRBACConfig, KubernetesRBACPlugin
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

# The first start of all builds the server from its modules, which takes minutes; from then on it takes seconds.
pytestmark = [pytest.mark.duckdb, pytest.mark.requirement("WU6-X1"), pytest.mark.timeout(2700)]

MANAGER = "floe-test"
PATHS = {
    "Namespace": "/api/v1/namespaces/{name}",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts/{name}",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/{name}",
}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
KINDS = (*LAUNCH_RIGHTS, "secrets", "configmaps", "serviceaccounts", "pods/exec", "deployments.apps")
KINDS += ("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io", "serviceaccounts/token")


class Api(NamedTuple):
    """A server, and a session that somebody has with it."""

    url: str
    session: requests.Session


class RefusedError(Exception):
    """Status and message of an answer that is none."""


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """In a folder that the next run finds: what a run that was killed leaves there, it removes."""
    with api_server(project.state() / "kube-api") as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: ApiServer) -> Iterator[Api]:
    with server.session() as session:
        yield Api(server.url, session)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def namespace(numbers: Iterator[int]) -> str:
    return f"product-{next(numbers)}"


@pytest.fixture
def plugin() -> KubernetesRBACPlugin:
    return KubernetesRBACPlugin(KubernetesRBACConfig())


@pytest.fixture
def apply(admin: Api, plugin: KubernetesRBACPlugin) -> Callable[[RightsRequest], list[dict[str, Any]]]:
    """A function that applies what a request gives, in its order, and returns what the server keeps."""
    return lambda request: [server_side_apply(admin, each) for each in plugin.manifests(request)]


def server_side_apply(api: Api, manifest: Any) -> dict[str, Any]:
    path = PATHS[manifest["kind"]].format(**manifest["metadata"])
    return call(api, "PATCH", f"{path}?fieldManager={MANAGER}&fieldValidation=Strict", manifest)


def call(api: Api, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """One request as plain JSON, in the name of whom the session stands for."""
    content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
    answer = api.session.request(
        method, api.url + path, data=json.dumps(body), headers={"Content-Type": content}, timeout=20
    )
    found: dict[str, Any] = answer.json()
    if not answer.ok:
        raise RefusedError(answer.status_code, str(found["message"]))
    return found


@contextmanager
def refused(status: int, said: str = "") -> Iterator[None]:
    """Expect the server to answer with `status` and, in its message, `said`."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.args[0] == status
    assert said in caught.value.args[1]


def allowed(api: Api, account: str, right: Right) -> bool:
    """What the server's own authorizer says about a service account, `namespace:name`."""
    namespace = account.partition(":")[0]
    plural, _, part = right.resource.partition("/")
    kind, _, group = plural.partition(".")
    review = {
        "user": f"system:serviceaccount:{account}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        "resourceAttributes": {
            "namespace": right.namespace,
            "verb": right.verb,
            "group": group,
            "resource": kind,
            "subresource": part,
            "name": right.name,
        },
    }
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": review}
    answer = call(api, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


def settles(question: Callable[[], bool]) -> bool:
    """Whether the answer becomes yes in 20 s: the authorizer learns of a change a moment after it is kept."""
    looking = Retrying(
        stop=stop_after_delay(20),
        wait=wait_exponential(multiplier=0.05, max=0.25),
        retry=retry_if_result(lambda answer: not answer),
        retry_error_callback=lambda _: False,
    )
    return bool(looking(question))


def account_of(kept: list[dict[str, Any]]) -> str:
    meta = next(each["metadata"] for each in kept if each["kind"] == "ServiceAccount")
    return f"{meta['namespace']}:{meta['name']}"


def neighbourhood(namespace: str) -> set[Right]:
    """Every verb on every kind: on all objects, on one that was named and on one that was not; and elsewhere."""
    places = ((namespace, ""), (namespace, "warehouse-key"), (namespace, "other"), ("default", "warehouse-key"))
    return {Right(place, verb, kind, name) for place, name in places for verb in VERBS for kind in KINDS}


@pytest.mark.parametrize("launches", [False, True], ids=["reads", "launches"])
def test_the_server_allows_what_was_asked_and_nothing_beside_it(
    admin: Api,
    apply: Callable[[RightsRequest], list[dict[str, Any]]],
    namespace: str,
    launches: bool,
) -> None:
    request = RightsRequest(
        "customer-360",
        namespace,
        secrets=("warehouse-key",),
        config_maps=("artifacts",),
        launches_runs=launches,
        creates_namespace=True,
    )
    account = account_of(apply(request))
    wanted = request.rights()
    assert settles(lambda: all(allowed(admin, account, right) for right in wanted))
    for right in neighbourhood(namespace) - wanted:
        unnamed = right._replace(name="")
        assert allowed(admin, account, right) == (unnamed in wanted), right


def test_a_product_without_rights_may_nothing_not_even_what_its_neighbour_may(
    admin: Api, apply: Callable[[RightsRequest], list[dict[str, Any]]], namespace: str
) -> None:
    account = account_of(apply(RightsRequest("iot", namespace, creates_namespace=True)))
    neighbour = account_of(apply(RightsRequest("iot-2", namespace, secrets=("other",))))
    assert settles(lambda: allowed(admin, neighbour, Right(namespace, "get", "secrets", "other")))
    assert not any(allowed(admin, account, right) for right in neighbourhood(namespace))


def test_a_token_of_the_account_reads_its_secret_and_no_other(
    server: ApiServer,
    admin: Api,
    apply: Callable[[RightsRequest], list[dict[str, Any]]],
    namespace: str,
) -> None:
    request = RightsRequest("customer-360", namespace, secrets=("warehouse-key",), creates_namespace=True)
    whole = account_of(apply(request))
    assert settles(lambda: allowed(admin, whole, Right(namespace, "get", "secrets", "warehouse-key")))
    account = whole.split(":")[1]
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    for name in ("warehouse-key", "other"):
        call(admin, "POST", secrets, {"metadata": {"name": name}, "stringData": {"value": f"of-{name}"}})
    asked = call(
        admin, "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", {"spec": {"audiences": []}}
    )
    with server.session(asked["status"]["token"]) as session:
        product = Api(server.url, session)
        assert call(product, "GET", f"{secrets}/warehouse-key")["data"] == {"value": "b2Ytd2FyZWhvdXNlLWtleQ=="}
        for forbidden in (f"{secrets}/other", secrets, "/api/v1/namespaces/default/secrets/warehouse-key"):
            with refused(403):
                call(product, "GET", forbidden)
    with server.session("no-token") as session, refused(401):
        call(Api(server.url, session), "GET", f"{secrets}/warehouse-key")


def test_applying_twice_changes_nothing_and_the_review_of_what_is_kept_is_what_was_asked(
    apply: Callable[[RightsRequest], list[dict[str, Any]]], plugin: KubernetesRBACPlugin, namespace: str
) -> None:
    request = RightsRequest(
        "customer-" + "x" * 54,
        namespace,
        secrets=("warehouse-key", "api.token"),
        config_maps=("artifacts",),
        image_pull_secrets=("registry",),
        annotations={"iam.example.test/role": "reader"},
        launches_runs=True,
        creates_namespace=True,
    )
    first = apply(request)
    assert [each["kind"] for each in first] == ["Namespace", "ServiceAccount", "Role", "RoleBinding"]
    again = apply(request)
    versions = [[each["metadata"]["resourceVersion"] for each in kept] for kept in (first, again)]
    assert versions[0] == versions[1]
    assert plugin.review(again) == request.rights()


def test_a_right_that_is_asked_for_no_more_is_gone_and_one_added_by_hand_is_seen(
    admin: Api,
    apply: Callable[[RightsRequest], list[dict[str, Any]]],
    plugin: KubernetesRBACPlugin,
    namespace: str,
) -> None:
    request = RightsRequest("iot", namespace, secrets=("one", "two"), creates_namespace=True)
    account, gone = account_of(apply(request)), Right(namespace, "get", "secrets", "two")
    assert settles(lambda: allowed(admin, account, gone))
    less = replace(request, secrets=("one",))
    kept = apply(less)
    assert plugin.review(kept) == less.rights()
    assert settles(lambda: not allowed(admin, account, gone))
    last = Right(namespace, "get", "secrets", "one")
    assert allowed(admin, account, last)
    apply(replace(request, secrets=()))
    assert settles(lambda: not allowed(admin, account, last))
    kept = apply(less)
    role = next(each for each in kept if each["kind"] == "Role")
    role["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]})
    path = PATHS["Role"].format(**role["metadata"])
    found = [call(admin, "PUT", path, role) if each is role else each for each in kept]
    added = Right(namespace, "list", "secrets")
    assert plugin.review(found) - less.rights() == {added}
    assert settles(lambda: allowed(admin, account, added))


RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(account: str, security: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "run", "image": "example.test/run:1", "securityContext": security}
    return {"metadata": {"name": "run"}, "spec": {"serviceAccountName": account, "containers": [container]}}


@pytest.mark.parametrize(
    "broken",
    [
        {"privileged": True, "allowPrivilegeEscalation": True},
        {"runAsNonRoot": False},
        {"capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]}},
        {"seccompProfile": {"type": "Unconfined"}},
    ],
    ids=["privileged", "root", "capability", "seccomp"],
)
def test_the_namespace_admits_a_restricted_pod_and_refuses_any_other(
    admin: Api,
    apply: Callable[[RightsRequest], list[dict[str, Any]]],
    namespace: str,
    broken: dict[str, Any],
) -> None:
    account = account_of(apply(RightsRequest("iot", namespace, creates_namespace=True))).split(":")[1]
    path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
    admitted = call(admin, "POST", path, pod(account, RESTRICTED))
    assert admitted["spec"]["serviceAccountName"] == account
    assert not admitted["spec"].get("volumes"), "no token is mounted"
    with refused(403, 'violates PodSecurity "restricted:latest"'):
        call(admin, "POST", path, pod(account, RESTRICTED | broken))
    elsewhere = account_of(apply(RightsRequest("iot", "default"))).split(":")[1]
    assert call(admin, "POST", "/api/v1/namespaces/default/pods?dryRun=All", pod(elsewhere, RESTRICTED | broken))


def test_a_mistake_in_an_object_would_be_refused(admin: Api, plugin: KubernetesRBACPlugin) -> None:
    account = plugin.manifests(RightsRequest("iot", "default"))[0]
    with refused(500, "field not declared in schema"):
        server_side_apply(admin, {**account, "automountToken": False})


def test_kubectl_asks_the_release_that_is_pinned_what_a_product_may(
    server: ApiServer, apply: Callable[[RightsRequest], list[dict[str, Any]]], namespace: str, project_root: Path
) -> None:
    kubectl = [str(toolchain.expected("kubernetes")), "kubectl", f"--kubeconfig={server.kubeconfig}"]

    def say(*words: str) -> str:
        return subprocess.run([*kubectl, *words], capture_output=True, text=True, timeout=60, check=False).stdout

    versions = json.loads(say("version", "--output=json"))
    pinned = (project_root / "toolchain" / "go" / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    for side in ("clientVersion", "serverVersion"):
        assert f"\tk8s.io/kubernetes {versions[side]['gitVersion']}\n" in pinned
    account = account_of(apply(RightsRequest("iot", namespace, config_maps=("artifacts",), creates_namespace=True)))
    asked = ["auth", "can-i", f"--as=system:serviceaccount:{account}", f"--namespace={namespace}", "get"]
    assert settles(lambda: say(*asked, "configmap/artifacts") == "yes\n")
    assert say(*asked, "configmap/other") == "no\n"


def test_whoever_has_no_certificate_of_this_start_is_shut_out(server: ApiServer) -> None:
    session = requests.Session()
    with session:
        session.trust_env = False
        assert session.get(f"{server.url}/readyz", verify=str(server.ca), timeout=10).status_code == 401
        listening = {
            connection.laddr.port
            for connection in psutil.Process(server.pids[0]).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert len(listening) == 2, "etcd listens for its client and for peers"
        folder = server.kubeconfig.parent
        for port, pair in itertools.product(listening, (None, (str(folder / "admin.crt"), str(folder / "admin.key")))):
            with pytest.raises(requests.ConnectionError, match="alert"):
                session.get(
                    f"https://127.0.0.1:{port}/health", verify=str(folder / "etcd-ca.crt"), cert=pair, timeout=10
                )


def test_keys_are_private_and_on_no_command_line(server: ApiServer) -> None:
    folder: Path = server.kubeconfig.parent
    keys = list(folder.glob("*.key"))
    assert {key.name for key in keys} >= {"admin.key", "etcd.key", "kube-apiserver.key", "service-accounts.key"}
    for file in (folder, server.kubeconfig, *keys):
        assert file.stat().st_mode & 0o077 == 0, file
    processes = [psutil.Process(pid) for pid in server.pids]
    shown = "".join(f"{process.cmdline()} {process.environ()}" for process in processes)
    for key in keys:
        assert key.read_text(encoding="ascii").splitlines()[1] not in shown

"""A typed client of one Kubernetes cluster: what the cluster target and the tests ask of it.

The library `kubernetes` reads the kubeconfig, signs in and speaks TLS; it takes about a second to import, so that
happens in the methods. Every failure is a `FloeError` that names context, URL, namespace and object.
"""

from __future__ import annotations

import base64
import time
import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote, unquote

from floe_core.errors import (
    CredentialsRefusedError,
    FloeError,
    MissingToolError,
    NotReadyError,
    UsageError,
    WrongStateError,
)

from floe_ops.clients import kubernetes_objects as objects
from floe_ops.clients import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from floe_ops.clients.kubernetes_objects import Document

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Read = TypeVar("Read")

REQUEST_S = 15.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5
FIELD_MANAGER = "floe"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, INVALID = 401, 403, 404, 409, 422
JSON, MERGE, APPLY = "application/json", "application/merge-patch+json", "application/apply-patch+yaml"
POD_SECURITY = "pod-security.kubernetes.io"
RESTRICTED = {
    f"{POD_SECURITY}/{mode}{suffix}": value
    for mode in ("enforce", "warn", "audit")
    for suffix, value in (("", "restricted"), ("-version", "latest"))
}
"""Labels of a namespace in which no pod runs that is not `restricted`."""


@dataclass(frozen=True)
class Access:
    """How to reach a cluster: a kubeconfig file and a context in it."""

    kubeconfig: Path
    context: str


class Kubernetes:
    """Asks one cluster.

    Args:
        access: Which.
        request_s: Seconds that one request may take.
    """

    def __init__(self, access: Access, *, request_s: float = REQUEST_S) -> None:
        self.access = access
        self._request_s = request_s
        self._kinds: dict[str, list[Document]] = {}

    @cached_property
    def api(self) -> Any:
        """The library's own client, signed in.

        Raises:
            UsageError: The kubeconfig or its context is none.
        """
        import yaml
        from kubernetes import config
        from kubernetes.client import Configuration

        settings = Configuration()
        settings.retries = False  # a request that fails is ours to repeat
        try:
            client = config.new_client_from_config(
                str(self.access.kubeconfig), self.access.context, persist_config=False, client_configuration=settings
            )
        except (config.ConfigException, yaml.YAMLError, OSError, *untrusted.STUMBLES) as error:
            raise UsageError(
                "the kubeconfig cannot be used",
                where=f"{self.access.kubeconfig}, context {self.access.context}",
                why=untrusted.why(error),
                remedy="name another with KUBECONFIG and FLOE_KUBE_CONTEXT",
            ) from error
        weakref.finalize(self, client.rest_client.pool_manager.clear)  # the library leaves its connections open
        return client

    @property
    def url(self) -> str:
        """Where the API server answers."""
        return str(self.api.configuration.host)

    def version(self) -> str:
        """The server's version, for example `v1.34.4`."""
        return self._understood("/version", lambda: str(self._get("/version")["gitVersion"]))

    def nodes(self) -> list[objects.Node]:
        """Every node."""
        return self._each("/api/v1/nodes", objects.read_node)

    def pods(self, namespace: str, selector: str = "") -> list[objects.Pod]:
        """The pods of a namespace, those with the labels of `selector` where one is given."""
        query = f"?labelSelector={quote(selector)}" if selector else ""
        return self._each(f"{_core(namespace)}/pods{query}", objects.read_pod)

    def events(self, namespace: str) -> list[objects.Event]:
        """What was said about the objects of a namespace, oldest first."""
        return sorted(self._each(f"{_core(namespace)}/events", objects.read_event), key=lambda event: event.at)

    def jobs(self, namespace: str) -> list[objects.Job]:
        """The Jobs of a namespace."""
        return self._each(f"/apis/batch/v1/namespaces/{namespace}/jobs", objects.read_job)

    def claims(self, namespace: str) -> list[objects.Claim]:
        """The PersistentVolumeClaims of a namespace."""
        return self._each(f"{_core(namespace)}/persistentvolumeclaims", objects.read_claim)

    def workloads(self, namespace: str, selector: str = "") -> list[objects.Workload]:
        """Deployments and StatefulSets of a namespace, and whether each is rolled out."""
        query = f"?labelSelector={quote(selector)}" if selector else ""
        root = f"/apis/apps/v1/namespaces/{namespace}"
        return [
            *self._each(f"{root}/deployments{query}", lambda one: objects.read_workload("Deployment", one)),
            *self._each(f"{root}/statefulsets{query}", lambda one: objects.read_workload("StatefulSet", one)),
        ]

    def services(self, namespace: str, selector: str = "") -> list[Document]:
        """The Services of a namespace, as the API gives them."""
        query = f"?labelSelector={quote(selector)}" if selector else ""
        return self._items(f"{_core(namespace)}/services{query}")

    def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        """The values of a Secret by key, decoded; None where there is none. Never print them."""
        path = f"{_core(namespace)}/secrets/{name}"
        document = self.get(path)
        if document is None:
            return None
        values = (document.get("data") or {}).items
        return self._understood(path, lambda: {key: base64.b64decode(value).decode() for key, value in values()})

    def logs(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 200) -> str:
        """The last lines of a container's log, or those of its run before; empty where there is none (yet)."""
        query = f"container={container}&tailLines={lines}{'&previous=true' if previous else ''}"
        try:
            return self._text("GET", f"{_core(namespace)}/pods/{pod}/log?{query}")
        except (WrongStateError, UsageError):  # the API answers 400 while there is no log
            return ""

    def namespace(self, name: str) -> Document | None:
        """The namespace, or None."""
        return self.get(f"/api/v1/namespaces/{name}")

    def ensure_namespace(self, name: str, labels: Mapping[str, str]) -> bool:
        """Have a namespace with these labels, others it has are kept; returns whether it was made now."""
        there = self.namespace(name)
        if there is None:
            metadata = {"name": name, "labels": dict(labels)}
            self.request("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
            return True
        has = there["metadata"].get("labels") or {}
        if any(has.get(key) != value for key, value in labels.items()):
            self.request("PATCH", f"/api/v1/namespaces/{name}", {"metadata": {"labels": dict(labels)}}, kind=MERGE)
        return False

    def delete_namespace(self, name: str, timeout_s: float) -> None:
        """Delete a namespace with all in it and wait until it is gone; no error when there is none.

        Raises:
            NotReadyError: It was still there at the end; says which objects hold it.
        """
        path = f"/api/v1/namespaces/{name}"
        if self.get(path) is None:
            return
        self.request("DELETE", path)
        deadline, pause = time.monotonic() + timeout_s, FIRST_PAUSE_S
        while (left := self.get(path)) is not None:
            if time.monotonic() > deadline:
                said = [one["message"] for one in left["status"].get("conditions") or () if one["status"] == "True"]
                raise NotReadyError(
                    f"the namespace {name} is not gone after {timeout_s:g} s",
                    where=self._where(path),
                    why="; ".join(said) or "its controller has not said why",
                    remedy=f"see `kubectl get all -n {name}`",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_S)

    def apply(self, document: Document, *, dry_run: bool = False) -> Document:
        """Server-side apply of one object; with `dry_run` it is validated and admitted, and nothing is stored.

        Raises:
            WrongStateError: The server refuses it, by its schema or by Pod Security.
        """
        metadata = document["metadata"]
        path = self._path(document["apiVersion"], document["kind"], metadata.get("namespace", "default"))
        query = f"?fieldManager={FIELD_MANAGER}&force=true{'&dryRun=All' if dry_run else ''}"
        return self.request("PATCH", f"{path}/{metadata['name']}{query}", document, kind=APPLY)

    def get(self, path: str) -> Document | None:
        """The object at an API path, or None where there is none."""
        try:
            return self._get(path)
        except ObjectNotFoundError:
            return None

    def request(self, method: Method, path: str, body: object = None, *, kind: str = JSON) -> Document:
        """One request; returns the object that the server answers with.

        Raises:
            ObjectNotFoundError: There is no such object.
            CredentialsRefusedError: The server does not know us, or does not allow this.
            MissingToolError: No server answers.
            WrongStateError: The server refuses the object.
        """
        text = self._text(method, path, body, kind=kind)
        answer = self._understood(path, lambda: untrusted.document(text))
        if not isinstance(answer, dict):
            raise self._strange(path, f"it is of type {type(answer).__name__}")
        return answer

    def _get(self, path: str) -> Document:
        return self.request("GET", path)

    def _items(self, path: str) -> list[Document]:
        found = self._get(path).get("items") or []
        if not isinstance(found, list):
            raise self._strange(path, f"its items are of type {type(found).__name__}")
        return found

    def _each(self, path: str, read: Callable[[Document], Read]) -> list[Read]:
        """The objects of a collection, read."""
        items = self._items(path)
        return self._understood(path, lambda: [read(one) for one in items])

    def _understood(self, path: str, read: Callable[[], Read]) -> Read:
        """What `read` makes of an answer; one of another shape is told with its place."""
        try:
            return read()
        except untrusted.STUMBLES as error:
            raise self._strange(path, untrusted.why(error)) from None  # the cause may hold a Secret's value

    def _strange(self, path: str, why: str) -> WrongStateError:
        return WrongStateError(
            "the answer is not one of a Kubernetes API server",
            where=self._where(path),
            why=why,
            remedy="see that the context names a cluster of Kubernetes 1.30 or later",
        )

    def _text(self, method: Method, path: str, body: object = None, *, kind: str = JSON) -> str:
        import urllib3
        from kubernetes.client import ApiException

        resource, _, query = path.partition("?")
        pairs = [tuple(part.split("=", 1)) for part in query.split("&")] if query else []
        try:
            answer = self.api.call_api(
                resource,
                method,
                query_params=[(key, unquote(value)) for key, value in pairs],
                header_params={"Accept": JSON, "Content-Type": kind},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=self._request_s,
            )
            return str(answer.data.decode("utf-8", "replace"))
        except ApiException as error:
            raise self._refused(resource, error) from error
        except UnicodeDecodeError:  # the library takes the text of every refusal to be UTF-8
            raise self._strange(resource, "it is not UTF-8 text") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise MissingToolError(
                "the cluster does not answer",
                where=self._where(resource),
                why=_reason(error),
                remedy="start it, or name another with --context NAME (FLOE_KUBE_CONTEXT)",
            ) from error

    def _refused(self, path: str, error: Any) -> FloeError:
        """The error for an answer that is not a success, with the server's own sentence."""
        status = int(error.status or 0)
        try:
            said = str(untrusted.document(error.body)["message"])
        except untrusted.STUMBLES:
            said = str(error.reason)
        where = self._where(path)
        if status == NOT_FOUND:
            return ObjectNotFoundError("the cluster has no such object", where=where, why=said)
        if status == UNAUTHORIZED or (status == FORBIDDEN and "violates PodSecurity" not in said):
            return CredentialsRefusedError(
                "the cluster refuses", where=where, why=said, remedy="use a context whose user may do this"
            )
        if status in {FORBIDDEN, CONFLICT, INVALID}:
            return WrongStateError("the cluster refuses the object", where=where, why=said)
        return WrongStateError(f"the cluster answers {status}", where=where, why=said)

    def _where(self, path: str) -> str:
        return f"context {self.access.context}, {self.url}{path}"

    def _path(self, version: str, kind: str, namespace: str) -> str:
        """The collection that objects of a kind are in, as the server itself lists it."""
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        if version not in self._kinds:
            self._kinds[version] = list(self._get(root)["resources"])
        for entry in self._kinds[version]:
            if entry["kind"] == kind and "/" not in entry["name"]:
                place = f"/namespaces/{namespace}" if entry["namespaced"] else ""
                return f"{root}{place}/{entry['name']}"
        raise ObjectNotFoundError(f"the cluster knows no {kind} of {version}", where=self._where(root))


class ObjectNotFoundError(WrongStateError):
    """The cluster answered that there is no such object or kind."""


def _core(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}"


def _reason(error: BaseException) -> str:
    """The innermost reason of a connection that failed, without addresses of objects."""
    inner = getattr(error, "reason", None)
    return (
        _reason(inner) if isinstance(inner, BaseException) else str(error).rpartition(": ")[2] or type(error).__name__
    )

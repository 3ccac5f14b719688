"""The Kubernetes objects of one request, smallest rights first and nothing by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_rbac_k8s.names import OWN_ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_core.plugins import Right, RightsRequest

RBAC_GROUP = "rbac.authorization.k8s.io"
RBAC_API = f"{RBAC_GROUP}/v1"
POD_SECURITY = "pod-security.kubernetes.io"


def metadata(request: RightsRequest, name: str) -> dict[str, Any]:
    """Name, place and labels that all objects of a product share; the product's whole name is an annotation."""
    return {
        "name": name,
        "namespace": request.namespace,
        "labels": {**_labels(), "app.kubernetes.io/instance": name},
        "annotations": {f"{OWN_ANNOTATIONS}product": request.product},
    }


def namespace(request: RightsRequest, level: str, version: str) -> dict[str, Any]:
    """A namespace in which pods that break the Pod Security level are refused, warned about and noted.

    It may hold several products, so nothing on it names one.
    """
    modes = {f"{POD_SECURITY}/{mode}": level for mode in ("audit", "enforce", "warn")}
    versions = {f"{POD_SECURITY}/{mode}-version": version for mode in ("audit", "enforce", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": request.namespace, "labels": {**_labels(), **modes, **versions}},
    }


def service_account(request: RightsRequest, name: str) -> dict[str, Any]:
    """Whom the product's pods act as; they get a token only where it is good for something."""
    account: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(request, name),
        "automountServiceAccountToken": bool(request.rights()),
    }
    account["metadata"]["annotations"] |= dict(sorted(request.annotations.items()))
    if request.image_pull_secrets:
        account["imagePullSecrets"] = [{"name": each} for each in sorted(set(request.image_pull_secrets))]
    return account


def role(request: RightsRequest, name: str) -> dict[str, Any]:
    """The rights themselves: one rule a resource."""
    return {
        "apiVersion": RBAC_API,
        "kind": "Role",
        "metadata": metadata(request, name),
        "rules": _rules(request.rights()),
    }


def role_binding(request: RightsRequest, name: str) -> dict[str, Any]:
    """The rights go to the product's service account and to nobody else."""
    return {
        "apiVersion": RBAC_API,
        "kind": "RoleBinding",
        "metadata": metadata(request, name),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": request.namespace}],
    }


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "floe", "app.kubernetes.io/part-of": "floe"}


def _rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """Rules in an order of their own: by resource, names and verbs sorted."""
    rules: dict[tuple[str, bool], dict[str, Any]] = {}
    for right in sorted(rights, key=lambda each: (each.resource, each.verb, each.name)):
        kind, _, part = right.resource.partition("/")
        plural, _, group = kind.partition(".")
        rule = rules.setdefault(
            (right.resource, bool(right.name)),
            {"apiGroups": [group], "resources": [f"{plural}/{part}" if part else plural], "verbs": []},
        )
        if right.verb not in rule["verbs"]:
            rule["verbs"].append(right.verb)
        if right.name and right.name not in rule.setdefault("resourceNames", []):
            rule["resourceNames"].append(right.name)
    return list(rules.values())

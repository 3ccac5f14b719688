"""What a set of objects allows, read as the API server's RBAC authorizer reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from floe_core.plugins import RBACError, Right
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from floe_rbac_k8s.objects import RBAC_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

EVERYWHERE = "*"


class _Part(BaseModel):
    """A part of an object: what decides about rights is read, the rest does not matter."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class _Meta(_Part):
    name: str = Field(min_length=1)
    namespace: str = ""


class _Rule(_Part):
    verbs: list[str]
    groups: list[str] = Field(default=[], alias="apiGroups")
    resources: list[str] = []
    names: list[str] = Field(default=[], alias="resourceNames")
    urls: list[str] = Field(default=[], alias="nonResourceURLs")


class _Subject(_Part):
    kind: Literal["User", "Group", "ServiceAccount"]
    name: str
    namespace: str = ""


class _RoleRef(_Part):
    kind: Literal["Role", "ClusterRole"]
    name: str


class _Object(_Part):
    kind: str
    api: str = Field(alias="apiVersion")
    metadata: _Meta


class _Role(_Object):
    rules: list[_Rule] | None = None
    aggregation: dict[str, Any] | None = Field(default=None, alias="aggregationRule")


class _Binding(_Object):
    ref: _RoleRef = Field(alias="roleRef")
    subjects: list[_Subject] | None = None


def review(objects: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
    """The rights of the service accounts among `objects`, by the roles and bindings among them.

    Raises:
        RBACError: An object is malformed, a bound role is missing, or its rules come from other roles.
    """
    accounts: set[tuple[str, str]] = set()
    roles: dict[tuple[str, str, str], _Role] = {}
    bindings: list[_Binding] = []
    for each in objects:
        read = _read(each)
        if isinstance(read, _Binding):
            bindings.append(read)
        elif isinstance(read, _Role):
            namespace = "" if read.kind == "ClusterRole" else read.metadata.namespace
            roles[read.kind, namespace, read.metadata.name] = read
        elif (read.api, read.kind) == ("v1", "ServiceAccount"):
            accounts.add((read.metadata.namespace, read.metadata.name))
    return frozenset(
        right
        for binding in bindings
        if any(_means(subject, account, binding) for subject in binding.subjects or [] for account in accounts)
        for right in _granted(binding, roles)
    )


def _read(each: Mapping[str, Any]) -> _Object:
    kind = str(each.get("kind"))
    is_rbac = str(each.get("apiVersion")).partition("/")[0] == RBAC_GROUP
    model: type[_Object] = _Object
    if is_rbac and kind in {"Role", "ClusterRole"}:
        model = _Role
    elif is_rbac and kind in {"RoleBinding", "ClusterRoleBinding"}:
        model = _Binding
    try:
        return model.model_validate(dict(each))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise RBACError(
            "an object cannot be reviewed",
            where=f"{kind!a:.40}, {'.'.join(str(part) for part in first['loc'])}",
            why=first["msg"],
            remedy="give whole objects, as the API server returns them",
        ) from None


def _means(subject: _Subject, account: tuple[str, str], binding: _Binding) -> bool:
    """Whether a binding's subject is this account, or a group that the API server puts every such account into."""
    namespace, name = account
    if subject.kind == "ServiceAccount":
        # The authorizer takes one without a namespace for an account beside the RoleBinding.
        own = binding.metadata.namespace if binding.kind == "RoleBinding" else ""
        return (subject.namespace or own, subject.name) == account
    if subject.kind == "User":
        return subject.name == f"system:serviceaccount:{namespace}:{name}"
    return subject.name in {
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    }


def _granted(binding: _Binding, roles: Mapping[tuple[str, str, str], _Role]) -> Iterator[Right]:
    everywhere = binding.kind == "ClusterRoleBinding"
    own = binding.metadata.namespace
    key = (binding.ref.kind, own if binding.ref.kind == "Role" else "", binding.ref.name)
    role = roles.get(key)
    if role is None or role.aggregation is not None:
        raise RBACError(
            f"what {binding.kind} {binding.metadata.name!a} gives cannot be told",
            where=f"{binding.ref.kind} {binding.ref.name!a}",
            why="the role is not among the objects" if role is None else "its rules are gathered from other roles",
            remedy="give the role with its rules too",
        )
    for rule in role.rules or []:
        yield from _rights(rule, EVERYWHERE if everywhere else own)


def _rights(rule: _Rule, namespace: str) -> Iterator[Right]:
    for verb in rule.verbs:
        for resource in rule.resources:
            plural, slash, part = resource.partition("/")
            for group in rule.groups:
                full = (f"{plural}.{group}" if group else plural) + slash + part
                yield from (Right(namespace, verb, full, name) for name in rule.names or [""])
        if namespace == EVERYWHERE:  # only a ClusterRoleBinding gives rights to what is no resource
            yield from (Right(namespace, verb, url) for url in rule.urls)

"""What objects allow, told from roles and bindings that were not made here."""

from __future__ import annotations

from typing import Any

import pytest
from floe_core.errors import FloeError
from floe_core.plugins import RBACError, Right
from floe_rbac_k8s.review import review
from hypothesis import given
from hypothesis import strategies as st

GROUP = "rbac.authorization.k8s.io"
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app", "namespace": "one"}}
APP = {"kind": "ServiceAccount", "name": "app", "namespace": "one"}
READ = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["key"], "verbs": ["get"]}


def role(*rules: dict[str, Any], kind: str = "Role", namespace: str = "one", **more: Any) -> dict[str, Any]:
    meta = {"name": "reader"} | ({} if kind == "ClusterRole" else {"namespace": namespace})
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, "rules": list(rules), **more}


def binding(
    *subjects: dict[str, Any], kind: str = "RoleBinding", ref: str = "Role", namespace: str = "one"
) -> dict[str, Any]:
    meta = {"name": "reader"} | ({} if kind == "ClusterRoleBinding" else {"namespace": namespace})
    to = {"apiGroup": GROUP, "kind": ref, "name": "reader"}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, "roleRef": to, "subjects": list(subjects)}


def test_a_bound_rule_is_told() -> None:
    assert review([ACCOUNT, role(READ), binding(APP)]) == {Right("one", "get", "secrets", "key")}


def test_a_rule_is_every_verb_on_every_resource() -> None:
    many = {"apiGroups": ["batch", ""], "resources": ["jobs/status", "pods"], "verbs": ["get", "*"]}
    assert review([ACCOUNT, role(many), binding(APP)]) == {
        Right("one", verb, resource)
        for verb in ("get", "*")
        for resource in ("jobs.batch/status", "jobs/status", "pods.batch", "pods")
    }


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "User", "name": "system:serviceaccount:one:app"},
        {"kind": "Group", "name": "system:serviceaccounts"},
        {"kind": "Group", "name": "system:serviceaccounts:one"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "ServiceAccount", "name": "app"},
    ],
)
def test_every_way_to_name_an_account_counts(subject: dict[str, Any]) -> None:
    assert review([ACCOUNT, role(READ), binding(subject)]) == {Right("one", "get", "secrets", "key")}


@pytest.mark.parametrize(
    "subject",
    [
        APP | {"name": "other"},
        APP | {"namespace": "two"},
        {"kind": "User", "name": "app"},
        {"kind": "Group", "name": "system:serviceaccounts:two"},
        {"kind": "Group", "name": "system:unauthenticated"},
    ],
)
def test_what_others_may_does_not_count(subject: dict[str, Any]) -> None:
    assert review([ACCOUNT, role(READ), binding(subject)]) == frozenset()


def test_a_role_that_is_not_bound_gives_nothing() -> None:
    assert review([ACCOUNT, role(READ)]) == frozenset()
    assert review([role(READ), binding(APP)]) == frozenset()


def test_rights_in_another_namespace_are_told_as_such() -> None:
    found = review([ACCOUNT, role(READ, namespace="two"), binding(APP, namespace="two")])
    assert found == {Right("two", "get", "secrets", "key")}


def test_a_cluster_role_reaches_as_far_as_its_binding() -> None:
    cluster = role(READ | {"nonResourceURLs": ["/metrics"]}, kind="ClusterRole")
    assert review([ACCOUNT, cluster, binding(APP, ref="ClusterRole")]) == {Right("one", "get", "secrets", "key")}
    assert review([ACCOUNT, cluster, binding(APP, kind="ClusterRoleBinding", ref="ClusterRole")]) == {
        Right("*", "get", "secrets", "key"),
        Right("*", "get", "/metrics"),
    }


@pytest.mark.parametrize(
    "others",
    [
        [],
        [role(READ, namespace="two")],
        [role(READ, kind="ClusterRole")],
    ],
)
def test_a_role_that_is_missing_is_an_error(others: list[dict[str, Any]]) -> None:
    with pytest.raises(RBACError, match="cannot be told") as caught:
        review([ACCOUNT, *others, binding(APP)])
    assert caught.value.where == "Role 'reader'"


def test_rules_that_are_gathered_elsewhere_are_an_error() -> None:
    gathered = role(kind="ClusterRole", aggregationRule={"clusterRoleSelectors": []})
    with pytest.raises(RBACError) as caught:
        review([ACCOUNT, gathered, binding(APP, ref="ClusterRole")])
    assert "gathered" in caught.value.why


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({}, "'None', kind"),
        ({**ACCOUNT, "metadata": {}}, "'ServiceAccount', metadata.name"),
        ({**role(READ), "rules": [{"verbs": "get"}]}, "'Role', rules.0.verbs"),
        ({**binding(APP), "subjects": [{"kind": "Robot", "name": "x"}]}, "'RoleBinding', subjects.0.kind"),
    ],
)
def test_a_malformed_object_is_named(wrong: dict[str, Any], place: str) -> None:
    with pytest.raises(RBACError) as caught:
        review([wrong])
    assert caught.value.where == place


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "apiVersion": st.sampled_from(["v1", f"{GROUP}/v1"]) | VALUES,
        "kind": st.sampled_from(["ServiceAccount", "Role", "RoleBinding", "ClusterRole"]) | VALUES,
        "metadata": st.just({"name": "reader", "namespace": "one"}) | VALUES,
        "rules": st.just([READ]) | VALUES,
        "roleRef": st.just({"kind": "Role", "name": "reader"}) | VALUES,
        "subjects": st.just([APP]) | VALUES,
    },
)


@given(st.lists(OBJECTS, max_size=3))
def test_anything_is_reviewed_or_refused(objects: list[dict[str, Any]]) -> None:
    try:
        assert isinstance(review([ACCOUNT, *objects]), frozenset)
    except FloeError as error:
        assert str(error).encode()  # noqa: PT017 - it must be printable, whatever was in the object

"""The suite of the RBAC plugins fails where one gives too much, too little or to the wrong one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, ClassVar

import pytest
from floe_core.plugins import NoConfig, PluginConfig, RBACError, RBACPlugin, Right, RightsRequest
from floe_core.testing import PluginConformance, RBACConformance

Objects = list[dict[str, Any]]
OWN = [name for name, _ in inspect.getmembers(RBACConformance, inspect.isfunction) if name.startswith("test_")]
OWN = [name for name in OWN if name not in vars(PluginConformance)]
SECRET_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


class Plain(RBACPlugin[NoConfig]):
    """A small plugin that does what the contract says, in a notation of its own behind each rule."""

    name, version, floe_api_version = "plain", "0.1.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = NoConfig

    def manifests(self, request: RightsRequest) -> tuple[dict[str, Any], ...]:
        refuse(request)
        name = f"x{hash(request.product) % 10**15}"
        meta = {"name": name, "namespace": request.namespace, "annotations": dict(request.annotations)}
        rights = sorted(request.rights())
        rules = [
            {
                "resources": [each.resource],
                "verbs": [each.verb],
                **({"resourceNames": [each.name]} if each.name else {}),
            }
            for each in rights
        ]
        made: Objects = [{"kind": "Namespace", "metadata": {"name": request.namespace}}]
        made = made if request.creates_namespace else []
        made.append(
            {
                "kind": "ServiceAccount",
                "metadata": dict(meta),
                "automountServiceAccountToken": bool(rights),
                "imagePullSecrets": [{"name": each} for each in request.image_pull_secrets],
            }
        )
        if rights:
            made.append({"kind": "Role", "metadata": dict(meta), "rules": rules})
            to = {"roleRef": {"kind": "Role", "name": name}, "subjects": [{"kind": "ServiceAccount", "name": name}]}
            made.append({"kind": "RoleBinding", "metadata": dict(meta), **to})
        return tuple(made)

    def review(self, objects: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
        return frozenset(
            Right(each["metadata"]["namespace"], verb, resource, name)
            for each in objects
            for rule in each.get("rules", [])
            for verb in rule["verbs"]
            for resource in rule["resources"]
            for name in rule.get("resourceNames", [""])
        )


def refuse(request: RightsRequest) -> None:
    labels = (request.product, request.namespace)
    names = (*request.secrets, *request.config_maps, *request.image_pull_secrets)
    good = all(0 < len(each) <= 63 and set(each) <= SECRET_NAMES - {"."} and each[0].isalpha() for each in labels)
    good &= all(0 < len(each) <= 253 and set(each) <= SECRET_NAMES and each[0] != "." for each in names)
    good &= not request.namespace.endswith("-") and not request.namespace.startswith("kube-")
    good &= all(0 < len(key) <= 63 and key.strip("/") == key and " " not in key for key in request.annotations)
    good &= all(key.count("/") < 2 for key in request.annotations)
    if not good:
        raise RBACError("no name")


CALLS = count()


def of(kind: str, made: Objects) -> Objects:
    return [each for each in made if each["kind"] == kind]


def one_verb_more(made: Objects, _: RightsRequest) -> Objects:
    for role in of("Role", made):
        role["rules"][0]["verbs"].append("list")
    return made


def one_rule_less(made: Objects, _: RightsRequest) -> Objects:
    for role in of("Role", made):
        role["rules"].pop()
    return made


def all_secrets(made: Objects, _: RightsRequest) -> Objects:
    for role in of("Role", made):
        for rule in role["rules"]:
            rule.pop("resourceNames", None)
    return made


def wildcard(made: Objects, _: RightsRequest) -> Objects:
    for role in of("Role", made):
        role["rules"][0]["apiGroups"] = ["*"]
    return made


def cluster_wide(made: Objects, _: RightsRequest) -> Objects:
    return [{**each, "kind": each["kind"].replace("RoleBinding", "ClusterRoleBinding")} for each in made]


def elsewhere(made: Objects, _: RightsRequest) -> Objects:
    made[-1]["metadata"]["namespace"] = "default"
    return made


def namespace_last(made: Objects, _: RightsRequest) -> Objects:
    return made[::-1]


def for_everybody(made: Objects, _: RightsRequest) -> Objects:
    for binding in of("RoleBinding", made):
        binding["subjects"].append({"kind": "Group", "name": "system:authenticated"})
    return made


def token_for_all(made: Objects, _: RightsRequest) -> Objects:
    for account in of("ServiceAccount", made):
        del account["automountServiceAccountToken"]
    return made


def bare_account(made: Objects, _: RightsRequest) -> Objects:
    for account in of("ServiceAccount", made):
        account["metadata"]["annotations"] = {}
    return made


def with_a_secret(made: Objects, _: RightsRequest) -> Objects:
    return [*made, {"kind": "Secret", "metadata": made[-1]["metadata"]}]


def never_the_same(made: Objects, _: RightsRequest) -> Objects:
    made[-1]["metadata"]["annotations"] = {"calls": str(next(CALLS))}
    return made


def one_name_for_all(made: Objects, _: RightsRequest) -> Objects:
    for each in made:
        each["metadata"]["name"] = "floe"
    return made


SPOILS = {
    "test_it_gives_what_was_asked_and_no_more": [one_verb_more, one_rule_less, all_secrets],
    "test_no_right_is_a_wildcard_or_leads_to_more": [all_secrets, wildcard, cluster_wide, one_verb_more],
    "test_everything_stays_in_its_namespace": [elsewhere, namespace_last],
    "test_objects_come_in_creation_order": [namespace_last, for_everybody],
    "test_an_account_without_rights_has_no_token": [token_for_all],
    "test_names_and_annotations_arrive": [bare_account, with_a_secret],
    "test_the_same_request_gives_the_same_objects": [never_the_same],
    "test_products_do_not_share_objects": [one_name_for_all],
}
Spoil = Callable[[Objects, RightsRequest], Objects]


class Spoilt(Plain):
    """The plain plugin, with one thing wrong."""

    def __init__(self, spoil: Spoil) -> None:
        super().__init__(NoConfig())
        self._spoil = spoil

    def manifests(self, request: RightsRequest) -> tuple[dict[str, Any], ...]:
        return tuple(self._spoil(list(super().manifests(request)), request))


class Gullible(Plain):
    """Takes any name, and sees no wildcard."""

    def manifests(self, request: RightsRequest) -> tuple[dict[str, Any], ...]:
        try:
            return super().manifests(request)
        except RBACError:
            return ()

    def review(self, objects: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
        return frozenset(right for right in super().review(objects) if right.verb != "*")


@pytest.mark.parametrize("name", OWN)
def test_a_plugin_that_keeps_the_contract_passes(name: str) -> None:
    getattr(RBACConformance(), name)(Plain(NoConfig()))


@pytest.mark.parametrize(("name", "spoil"), [(name, spoil) for name, all_ in SPOILS.items() for spoil in all_])
def test_a_plugin_with_one_thing_wrong_fails(name: str, spoil: Spoil) -> None:
    with pytest.raises(AssertionError):
        getattr(RBACConformance(), name)(Spoilt(spoil))


@pytest.mark.parametrize("name", ["test_what_is_no_name_is_refused", "test_a_review_sees_what_was_added"])
def test_a_gullible_plugin_fails(name: str) -> None:
    with pytest.raises(AssertionError):
        getattr(RBACConformance(), name)(Gullible(NoConfig()))


def test_each_test_of_the_suite_is_seen_to_fail() -> None:
    seen = {*SPOILS, "test_what_is_no_name_is_refused", "test_a_review_sees_what_was_added"}
    assert set(OWN) == seen

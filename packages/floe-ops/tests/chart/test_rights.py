"""The rights that the chart gives to Dagster are those that its launcher uses: none is missing, none is spare."""

from __future__ import annotations

import ast
from importlib import resources

import yaml
from floe_ops import project
from floe_ops.clients import helm

CHART = project.root() / "charts" / "floe-platform"
USED = ("client.py", "launcher.py", "job.py")
"""Modules of dagster_k8s that the run launcher is made of; its executor and its ops are not configured."""
VERBS = {"create": "create", "list": "list", "read": "get", "delete": "delete", "patch": "patch", "watch": "watch"}
RESOURCES = {
    "job": ("batch", "jobs"),
    "job_status": ("batch", "jobs/status"),
    "pod": ("", "pods"),
    "pod_log": ("", "pods/log"),
    "event": ("", "events"),
}
Right = tuple[str, str, str]


def asked(source: str) -> set[Right]:
    """Group, resource and verb of each call `x.VERB_namespaced_RESOURCE(...)`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute) or "_namespaced_" not in node.attr:
            continue
        verb, _, thing = node.attr.partition("_namespaced_")
        if not thing.endswith("_with_retries"):  # dagster_k8s's own, which calls the API's
            group, resource = RESOURCES[thing]
            found.add((group, resource, VERBS[verb]))
    return found


def given() -> list[dict[str, list[str]]]:
    client = helm.choose(helm.Place("floe-test"))
    text = client.template("floe", CHART, only=["templates/dagster/rbac.yaml"])
    documents = [one for one in yaml.safe_load_all(text) if one]
    assert {one["kind"] for one in documents} == {"ServiceAccount", "Role", "RoleBinding"}
    (role,) = [one for one in documents if one["kind"] == "Role"]
    rules: list[dict[str, list[str]]] = role["rules"]
    return rules


def test_dagster_may_do_what_its_launcher_does_and_nothing_else() -> None:
    package = resources.files("dagster_k8s")
    needed = set().union(*(asked((package / name).read_text(encoding="utf-8")) for name in USED))
    rights = [
        (group, resource, verb)
        for rule in given()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert len(rights) == len(set(rights))
    assert set(rights) == needed


def test_no_rule_stands_for_more_than_it_names() -> None:
    rules = given()
    assert not [rule for rule in rules for part in ("apiGroups", "resources", "verbs") if "*" in rule[part]]
    assert not [rule for rule in rules if {"secrets", "pods/exec", "roles", "serviceaccounts"} & set(rule["resources"])]

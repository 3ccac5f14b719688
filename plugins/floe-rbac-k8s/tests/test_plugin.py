"""The RBAC plugin `k8s`, held to the contract and to the API schemas; tests/e2e holds it to a real API server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest
from floe_core.plugins import RBACError, RightsRequest
from floe_core.testing import RBACConformance
from floe_rbac_k8s.plugin import KubernetesRBACConfig, KubernetesRBACPlugin
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError

RELEASES = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
FULL = RightsRequest(
    "customer-360",
    "retail",
    secrets=("warehouse-key", "api.token"),
    config_maps=("artifacts",),
    image_pull_secrets=("registry",),
    annotations={"iam.example.test/role": "reader"},
    launches_runs=True,
    creates_namespace=True,
)


def plugin_of(**config: Any) -> KubernetesRBACPlugin:
    return KubernetesRBACPlugin(KubernetesRBACConfig.model_validate(config))


class TestConformance(RBACConformance):
    @pytest.fixture
    def plugin(self) -> KubernetesRBACPlugin:
        return plugin_of(pod_security="baseline", pod_security_version="v1.34")


@pytest.mark.parametrize("release", RELEASES)
def test_every_object_is_valid_in_every_release(release: str) -> None:
    for each in plugin_of().manifests(FULL):
        assert kubernetes_validate.validate(each, release, strict=True) == release


def test_the_schemas_would_refuse_a_wrong_object() -> None:
    role = json.loads(json.dumps(plugin_of().manifests(FULL)[2]))
    role["rules"][0]["resourceName"] = ["x"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(role, RELEASES[-1], strict=True)


def test_the_objects_in_full() -> None:
    namespace, account, role, binding = plugin_of(pod_security_version="v1.34").manifests(
        replace(FULL, launches_runs=False)
    )
    name, labels = "floe-customer-360", {"app.kubernetes.io/managed-by": "floe", "app.kubernetes.io/part-of": "floe"}
    assert namespace["metadata"] == {
        "name": "retail",
        "labels": labels
        | {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
        | {f"pod-security.kubernetes.io/{mode}-version": "v1.34" for mode in ("enforce", "audit", "warn")},
    }
    common = {
        "name": name,
        "namespace": "retail",
        "labels": labels | {"app.kubernetes.io/instance": name},
        "annotations": {"floe.dev/product": "customer-360"},
    }
    assert account == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {**common, "annotations": {"floe.dev/product": "customer-360", "iam.example.test/role": "reader"}},
        "automountServiceAccountToken": True,
        "imagePullSecrets": [{"name": "registry"}],
    }
    assert role["metadata"] == binding["metadata"] == common
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["artifacts"]},
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "verbs": ["get"],
            "resourceNames": ["api.token", "warehouse-key"],
        },
    ]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "retail"}]


def test_a_launcher_starts_jobs_and_follows_their_pods() -> None:
    role = plugin_of().manifests(RightsRequest("iot", "floe", launches_runs=True))[1]
    rules = {(*rule["apiGroups"], *rule["resources"]): rule["verbs"] for rule in role["rules"]}
    assert rules == {
        ("batch", "jobs"): ["create", "delete", "get", "list", "watch"],
        ("batch", "jobs/status"): ["get"],
        ("", "pods"): ["get", "list", "watch"],
        ("", "pods/log"): ["get"],
        ("", "events"): ["list"],
    }


def test_without_rights_the_role_is_there_and_empty() -> None:
    account, role, _binding = plugin_of().manifests(RightsRequest("iot", "floe"))
    assert role["rules"] == [], "it takes the place of one with rights"
    assert account["automountServiceAccountToken"] is False
    assert "imagePullSecrets" not in account


@pytest.mark.parametrize(
    ("request_", "field", "value"),
    [
        (RightsRequest("iot", "Retail"), "namespace", "Retail"),
        (RightsRequest("iot", "kube-system"), "namespace", "kube-system"),
        (RightsRequest("IoT", "retail"), "product", "IoT"),
        (RightsRequest("iot", "retail", secrets=("*",)), "secrets", "*"),
        (RightsRequest("iot", "retail", annotations={"floe.dev/product": "x"}), "annotations", "floe.dev/product"),
        (RightsRequest("iot", "retail", annotations={"a": "line\nline"}), "annotations", "a"),
    ],
)
def test_a_refusal_names_field_and_value(request_: RightsRequest, field: str, value: str) -> None:
    with pytest.raises(RBACError) as caught:
        plugin_of().manifests(request_)
    assert caught.value.where == f"RightsRequest.{field}"
    assert repr(value) in caught.value.what
    assert caught.value.why
    assert caught.value.remedy


def test_the_value_of_an_annotation_is_not_told() -> None:
    with pytest.raises(RBACError) as caught:
        plugin_of().manifests(RightsRequest("iot", "retail", annotations={"a": "planted\n"}))
    assert "planted" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    "config",
    [
        {"name_prefix": "Floe"},
        {"name_prefix": "floe-"},
        {"name_prefix": "a" * 21},
        {"pod_security": "privileged"},
        {"pod_security_version": "1.34"},
        {"pod_security_version": "v1.34.1"},
    ],
)
def test_settings_that_cannot_work_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KubernetesRBACConfig.model_validate(config)


def test_the_work_is_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    plugin = plugin_of()
    plugin.review(plugin.manifests(replace(FULL, launches_runs=False)))
    made, reviewed = exporter.get_finished_spans()
    assert (made.name, reviewed.name) == ("rbac.manifests", "rbac.review")
    assert made.attributes == {"floe.product.name": "customer-360", "floe.rbac.rights": 3}
    assert reviewed.attributes == {"floe.rbac.rights": 3}


NAMES = st.one_of(
    st.text(max_size=70),
    st.text("abz09-", max_size=70),
    st.text("abz09-.", max_size=260),
)
REQUESTS = st.builds(
    RightsRequest,
    product=NAMES,
    namespace=NAMES,
    secrets=st.lists(NAMES, max_size=2).map(tuple),
    config_maps=st.lists(NAMES, max_size=2).map(tuple),
    image_pull_secrets=st.lists(NAMES, max_size=2).map(tuple),
    annotations=st.dictionaries(NAMES, st.text(max_size=20), max_size=2),
    launches_runs=st.booleans(),
    creates_namespace=st.booleans(),
)
GOOD = st.from_regex(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?", fullmatch=True).filter(lambda name: name[:5] != "kube-")
GOOD_REQUESTS = st.builds(
    RightsRequest,
    product=st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True),
    namespace=GOOD,
    secrets=st.lists(GOOD, max_size=3).map(tuple),
    config_maps=st.lists(GOOD, max_size=3).map(tuple),
    image_pull_secrets=st.lists(GOOD, max_size=2).map(tuple),
    annotations=st.dictionaries(GOOD, st.text("ab \u00e9", max_size=20), max_size=2),
    launches_runs=st.booleans(),
    creates_namespace=st.booleans(),
)


@settings(max_examples=200)
@given(REQUESTS)
def test_any_request_is_refused_or_gives_what_json_can_hold(request_: RightsRequest) -> None:
    try:
        made = plugin_of().manifests(request_)
    except RBACError:
        return
    json.dumps(made).encode()


@settings(max_examples=25, deadline=None)  # each validation reads the schemas anew
@given(GOOD_REQUESTS)
def test_any_good_request_gives_valid_objects_with_its_rights(request_: RightsRequest) -> None:
    made = plugin_of().manifests(request_)
    assert plugin_of().review(made) == request_.rights()
    kubernetes_validate.validate(made[-1], RELEASES[0], strict=True)
    kubernetes_validate.validate(made[0], RELEASES[-1], strict=True)

"""What every RBAC plugin promises: exactly the rights that were asked for, by name, in one namespace."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import PluginType, RBACError, RBACPlugin, RightsRequest
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOTHING = RightsRequest("customer-360", "floe-conformance")
FULL = replace(
    NOTHING,
    secrets=("warehouse-key", "api.token"),
    config_maps=("artifacts",),
    image_pull_secrets=("registry",),
    annotations={"example.test/role": "reader"},
    launches_runs=True,
    creates_namespace=True,
)
REQUESTS = (
    NOTHING,
    replace(NOTHING, secrets=("warehouse-key",)),
    replace(NOTHING, config_maps=("artifacts", "settings")),
    replace(NOTHING, image_pull_secrets=("registry",), creates_namespace=True),
    replace(NOTHING, launches_runs=True),
    FULL,
)
ESCALATING = frozenset({"*", "escalate", "bind", "impersonate"})
CLUSTER_WIDE = frozenset({"ClusterRole", "ClusterRoleBinding"})
READ_BY_NAME = frozenset({"secrets", "configmaps"})
NAME_MAX = 63
NO_LABELS = ("", "Upper", "under_score", "a.b", "-a", "a-", "a" * 64, "a\n", "ä", "*", "a/b")
NO_NAMES = ("", "*", "Upper", "a b", "../a", "a/b", "a" * 254, "a\n", "a,b")


class RBACConformance(PluginConformance):
    """Fixtures: `plugin`. Nothing of a cluster is needed: what an API server makes of the objects is yours to show."""

    plugin_type: ClassVar[PluginType] = PluginType.RBAC

    def test_it_gives_what_was_asked_and_no_more(self, plugin: RBACPlugin[Any]) -> None:
        """Reviewed, the objects allow the rights of the request: none is missing, none on top."""
        for request in REQUESTS:
            given, wanted = plugin.review(plugin.manifests(request)), request.rights()
            expect(not given - wanted, f"nothing is given on top: {sorted(given - wanted)}")
            expect(not wanted - given, f"nothing is missing: {sorted(wanted - given)}")

    def test_no_right_is_a_wildcard_or_leads_to_more(self, plugin: RBACPlugin[Any]) -> None:
        """No `*`, no verb by which rights grow, nothing cluster-wide; Secrets and ConfigMaps by name, to get."""
        for request in REQUESTS:
            made = plugin.manifests(request)
            found = {each for each in _texts(made) if each in ESCALATING}
            expect(not found, f"no rule says {', '.join(sorted(found))}")
            kinds = {str(each.get("kind")) for each in made}
            expect(not kinds & CLUSTER_WIDE, "nothing is cluster-wide")
            for rule in _rules(made):
                if READ_BY_NAME & set(rule["resources"]):
                    expect(rule.get("resourceNames"), "a rule about Secrets or ConfigMaps names them")
                    expect(rule["verbs"] == ["get"], "a rule about Secrets or ConfigMaps is to get them")

    def test_a_review_sees_what_was_added(self, plugin: RBACPlugin[Any]) -> None:
        """A wildcard that somebody adds to a rule is told, so that a review of a cluster can find it."""
        made = json.loads(json.dumps(plugin.manifests(FULL)))
        rules = list(_rules(made))
        expect(rules, "the full request has rules")
        rules[0]["verbs"].append("*")
        added = plugin.review(made) - FULL.rights()
        expect({right.verb for right in added} == {"*"}, "the added verb is told, and nothing else")

    def test_everything_stays_in_its_namespace(self, plugin: RBACPlugin[Any]) -> None:
        """Each object lies in the namespace asked for; the namespace itself is made only when asked, and first."""
        for request in REQUESTS:
            made = plugin.manifests(request)
            kinds = [each["kind"] for each in made]
            expect(("Namespace" in kinds) == request.creates_namespace, "the namespace is made when it is asked for")
            expect("Namespace" not in kinds[1:], "the namespace comes first")
            for each in made:
                meta = each["metadata"]
                place = meta["name"] if each["kind"] == "Namespace" else meta["namespace"]
                expect(place == request.namespace, f"{each['kind']} lies in {request.namespace}")

    def test_objects_come_in_creation_order(self, plugin: RBACPlugin[Any]) -> None:
        """What a binding names was made before it, and it names nobody but the accounts that are made."""
        for request in REQUESTS:
            made: set[tuple[str, str]] = set()
            for each in plugin.manifests(request):
                named = [*each.get("subjects", []), *([each["roleRef"]] if "roleRef" in each else [])]
                strange = [one for one in named if (one["kind"], one["name"]) not in made]
                expect(not strange, f"{each['kind']} names only what was made before it")
                made.add((each["kind"], each["metadata"]["name"]))

    def test_an_account_without_rights_has_no_token(self, plugin: RBACPlugin[Any]) -> None:
        """A pod gets a token only where it is good for something; every request has its one account."""
        for request in REQUESTS:
            accounts = [each for each in plugin.manifests(request) if each["kind"] == "ServiceAccount"]
            expect(len(accounts) == 1, "one service account a product")
            mounted = accounts[0].get("automountServiceAccountToken", True)
            expect(mounted is bool(request.rights()), "a token is mounted where there are rights, and only there")

    def test_names_and_annotations_arrive(self, plugin: RBACPlugin[Any]) -> None:
        """The account carries what binds it to the cloud, and with what images are fetched; no Secret is made."""
        made = plugin.manifests(FULL)
        account = next(each for each in made if each["kind"] == "ServiceAccount")
        given = account["metadata"]["annotations"]
        expect(given.items() >= FULL.annotations.items(), "the account has the annotations")
        pulls = [each["name"] for each in account["imagePullSecrets"]]
        expect(pulls == list(FULL.image_pull_secrets), "the account has the image pull secrets")
        expect("Secret" not in {each["kind"] for each in made}, "secrets are named and never made")

    def test_the_same_request_gives_the_same_objects(self, plugin: RBACPlugin[Any]) -> None:
        """Plain JSON, the same bytes twice; order and doubles in the request do not matter, nor what callers do."""
        first = json.dumps(plugin.manifests(FULL))
        expect(json.loads(first) == list(plugin.manifests(FULL)), "the objects are plain JSON")
        doubled = replace(FULL, secrets=(*reversed(FULL.secrets), *FULL.secrets))
        expect(json.dumps(plugin.manifests(doubled)) == first, "order and doubles do not matter")
        spoilt: Any = plugin.manifests(FULL)
        spoilt[-1]["metadata"]["name"] = "spoilt"
        expect(json.dumps(plugin.manifests(FULL)) == first, "what a caller does to the objects stays with the caller")

    def test_products_do_not_share_objects(self, plugin: RBACPlugin[Any]) -> None:
        """Two products have no object in common, however long their names are; names stay DNS labels."""
        long = "a" * 62
        seen: set[tuple[str, str]] = set()
        for product in ("a", "a-b", f"{long}a", f"{long}b", f"{long}-"):
            made = plugin.manifests(replace(NOTHING, product=product, secrets=("key",)))
            mine = {(each["kind"], each["metadata"]["name"]) for each in made}
            expect(not mine & seen, f"{product} has objects of its own")
            expect(all(len(name) <= NAME_MAX for _, name in mine), f"names have {NAME_MAX} characters at most")
            seen |= mine

    def test_what_is_no_name_is_refused(self, plugin: RBACPlugin[Any]) -> None:
        """A name that the API server would refuse, or read as more than one object, is an RBACError."""
        wrong = [
            *(replace(NOTHING, namespace=name) for name in (*NO_LABELS, "kube-system")),
            *(replace(NOTHING, product=name) for name in NO_LABELS if name != "a-"),
            *(replace(NOTHING, secrets=("key", name)) for name in NO_NAMES),
            *(replace(NOTHING, config_maps=(name,)) for name in NO_NAMES),
            *(replace(NOTHING, image_pull_secrets=(name,)) for name in NO_NAMES),
            *(replace(NOTHING, annotations={key: "x"}) for key in ("", "a b", "/a", "a/", "a/b/c", "a" * 64)),
        ]
        for request in wrong:
            with refuses(RBACError, f"refused: {request}"):
                plugin.manifests(request)


def _texts(value: object) -> Iterator[str]:
    """All texts in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _rules(made: tuple[Mapping[str, Any], ...] | list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in made:
        yield from each.get("rules", [])

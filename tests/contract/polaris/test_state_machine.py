"""Names and orders that were never recorded, against a small model of what Polaris should hold.

Every example makes names of its own and removes all it made, so that it can run against a server in use.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from polaris_standin.contract.stack import BUCKET

if TYPE_CHECKING:
    from polaris_standin.contract.stack import Proxy, Server

MANAGEMENT = "/api/management/v1"
ICEBERG = "/api/catalog/v1"
FIELDS = [{"id": 1, "name": "id", "type": "long", "required": True}]
# What each of these lets a principal do in a catalog: list namespaces, create them.
PRIVILEGES = {
    "CATALOG_MANAGE_CONTENT": {"list", "create"},
    "CATALOG_MANAGE_METADATA": {"list", "create"},
    "NAMESPACE_FULL_METADATA": {"list", "create"},
    "NAMESPACE_CREATE": {"list", "create"},
    "NAMESPACE_LIST": {"list"},
    "TABLE_READ_DATA": set[str](),
    "CATALOG_MANAGE_ACCESS": set[str](),
}

letters = string.ascii_letters
names = st.text(letters + string.digits + "_-.", max_size=12).map(lambda tail: f"n{tail}")
indices = st.integers(min_value=0, max_value=1_000_000)

Levels = tuple[str, ...]


@dataclass
class CatalogModel:
    """What a catalog should hold; a role maps to its privileges."""

    roles: dict[str, set[str]] = field(default_factory=dict)
    namespaces: dict[Levels, dict[str, str]] = field(default_factory=dict)
    tables: dict[tuple[Levels, str], dict[str, str]] = field(default_factory=dict)
    assigned: set[tuple[str, str]] = field(default_factory=set)


class PolarisMachine(RuleBasedStateMachine):
    """Root makes and removes things; a second principal has exactly what it was given."""

    def __init__(self, server: Server, store: Proxy) -> None:
        super().__init__()
        self.server, self.store = server, store
        self.session = requests.Session()
        self.prefix = f"sm{secrets.token_hex(4)}"
        self.root = self.token(server.client_id, server.secret)
        self.catalogs: dict[str, CatalogModel] = {}
        self.uuids: dict[tuple[str, Levels, str], str] = {}
        self.retired: set[tuple[str, Levels, str]] = set()
        self.role, self.has_role = f"{self.prefix}-role", False
        made = self.call("POST", f"{MANAGEMENT}/principals", {"principal": {"name": self.prefix}})
        assert made.status_code == 201
        given = made.json()["credentials"]
        self.user = self.token(given["clientId"], given["clientSecret"])
        body = {"principalRole": {"name": self.role}}
        assert self.call("POST", f"{MANAGEMENT}/principal-roles", body).status_code == 201

    # plumbing

    def token(self, client_id: str, secret: str) -> str:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        url = f"{self.server.api}{ICEBERG}/oauth/tokens"
        answer = self.session.post(url, data={**form, "scope": "PRINCIPAL_ROLE:ALL"}, timeout=10)
        assert answer.status_code == 200
        return str(answer.json()["access_token"])

    def call(self, method: str, path: str, body: Any = None, *, user: bool = False) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.user if user else self.root}"}
        return self.session.request(method, f"{self.server.api}{path}", json=body, headers=headers, timeout=30)

    def namespace_path(self, catalog: str, levels: Levels) -> str:
        return f"{ICEBERG}/{catalog}/namespaces/{quote(chr(0x1F).join(levels), safe='')}"

    def table_path(self, catalog: str, levels: Levels, name: str) -> str:
        return f"{self.namespace_path(catalog, levels)}/tables/{quote(name, safe='')}"

    def catalog(self, index: int) -> tuple[str, CatalogModel]:
        return sorted(self.catalogs.items())[index % len(self.catalogs)]

    def role_path(self, catalog: str, role: str) -> str:
        return f"{MANAGEMENT}/catalogs/{catalog}/catalog-roles/{role}"

    @initialize(catalog=names, namespace=names, child=names, table=names, role=names)
    def begin(self, catalog: str, namespace: str, child: str, table: str, role: str) -> None:
        """Most steps need something to act on; without a start few examples would come that far."""
        self.create_catalog(catalog)
        self.create_namespace(0, 0, namespace, "")
        self.create_namespace(0, 1, child, "")
        self.create_table(1, table)
        self.create_catalog_role(0, role)

    # catalogs

    @rule(name=names)
    def create_catalog(self, name: str) -> None:
        full = f"{self.prefix}-{name}"
        base = f"s3://{BUCKET}/{self.prefix}/{name}"
        storage = {
            "storageType": "S3",
            "allowedLocations": [f"{base}/"],
            "endpoint": f"http://{self.store.address}",
            "pathStyleAccess": True,
            "region": "us-east-1",
        }
        catalog = {
            "name": full,
            "type": "INTERNAL",
            "properties": {"default-base-location": base},
            "storageConfigInfo": storage,
        }
        answer = self.call("POST", f"{MANAGEMENT}/catalogs", {"catalog": catalog})
        assert answer.status_code == (409 if full in self.catalogs else 201), answer.text
        if full not in self.catalogs:
            self.catalogs[full] = CatalogModel()
            assert answer.json()["entityVersion"] == 1

    @precondition(lambda self: self.catalogs)
    @rule(index=indices)
    def delete_catalog(self, index: int) -> None:
        name, model = self.catalog(index)
        is_empty = not model.roles and not model.namespaces
        answer = self.call("DELETE", f"{MANAGEMENT}/catalogs/{name}")
        assert answer.status_code == (204 if is_empty else 400), answer.text
        if is_empty:
            del self.catalogs[name]
            self.retired = {known for known in self.retired if known[0] != name}

    # roles and grants

    @rule()
    def assign_principal_role(self) -> None:
        path = f"{MANAGEMENT}/principals/{self.prefix}/principal-roles"
        answer = self.call("PUT", path, {"principalRole": {"name": self.role}})
        assert answer.status_code == 201
        self.has_role = True

    @rule()
    def revoke_principal_role(self) -> None:
        path = f"{MANAGEMENT}/principals/{self.prefix}/principal-roles/{self.role}"
        assert self.call("DELETE", path).status_code == (204 if self.has_role else 400)
        self.has_role = False

    @precondition(lambda self: self.catalogs)
    @rule(index=indices, role=names)
    def create_catalog_role(self, index: int, role: str) -> None:
        name, model = self.catalog(index)
        body = {"catalogRole": {"name": role}}
        answer = self.call("POST", f"{MANAGEMENT}/catalogs/{name}/catalog-roles", body)
        assert answer.status_code == (409 if role in model.roles else 201), answer.text
        model.roles.setdefault(role, set())

    @precondition(lambda self: any(model.roles for model in self.catalogs.values()))
    @rule(index=indices, do=st.sampled_from(["assign", "unassign", "drop"]))
    def change_catalog_role(self, index: int, do: str) -> None:
        name, model, role = self.any_role(index)
        base = f"{MANAGEMENT}/principal-roles/{self.role}/catalog-roles/{name}"
        pair = (self.role, role)
        if do == "assign":
            assert self.call("PUT", base, {"catalogRole": {"name": role}}).status_code == 201
            model.assigned.add(pair)
        elif do == "unassign":
            answer = self.call("DELETE", f"{base}/{role}")
            assert answer.status_code == (204 if pair in model.assigned else 400)
            model.assigned.discard(pair)
        else:
            assert self.call("DELETE", self.role_path(name, role)).status_code == 204
            del model.roles[role]
            model.assigned.discard(pair)

    @precondition(lambda self: any(model.roles for model in self.catalogs.values()))
    @rule(index=indices, privilege=st.sampled_from(sorted(PRIVILEGES)), grant=st.booleans())
    def change_grant(self, index: int, privilege: str, *, grant: bool) -> None:
        name, model, role = self.any_role(index)
        path = f"{self.role_path(name, role)}/grants"
        body = {"grant": {"type": "catalog", "privilege": privilege}}
        if grant:
            assert self.call("PUT", path, body).status_code == 201
            model.roles[role].add(privilege)
        else:
            answer = self.call("POST", path, body)
            assert answer.status_code == (201 if privilege in model.roles[role] else 400)
            model.roles[role].discard(privilege)
        listed = self.call("GET", path).json()["grants"]
        assert {found["privilege"] for found in listed} == model.roles[role]

    def any_role(self, index: int) -> tuple[str, CatalogModel, str]:
        found = [(n, m, r) for n, m in sorted(self.catalogs.items()) for r in sorted(m.roles)]
        return found[index % len(found)]

    # namespaces

    @precondition(lambda self: self.catalogs)
    @rule(index=indices, parent=indices, name=names, value=st.text(letters, max_size=5))
    def create_namespace(self, index: int, parent: int, name: str, value: str) -> None:
        catalog, model = self.catalog(index)
        parents: list[Levels] = [(), *sorted(model.namespaces)]
        levels = (*parents[parent % len(parents)], name)
        body = {"namespace": list(levels), "properties": {"note": value}}
        answer = self.call("POST", f"{ICEBERG}/{catalog}/namespaces", body)
        assert answer.status_code == (409 if levels in model.namespaces else 200), answer.text
        model.namespaces.setdefault(levels, {"note": value})

    @precondition(lambda self: any(model.namespaces for model in self.catalogs.values()))
    @rule(index=indices)
    def drop_namespace(self, index: int) -> None:
        catalog, model, levels = self.any_namespace(index)
        has_child = any(len(n) > len(levels) and n[: len(levels)] == levels for n in model.namespaces)
        is_empty = not has_child and not any(place == levels for place, _ in model.tables)
        answer = self.call("DELETE", self.namespace_path(catalog, levels))
        assert answer.status_code == (204 if is_empty else 409), answer.text
        if is_empty:
            del model.namespaces[levels]
            # Names whose files another table uses are free again only with their namespace.
            self.retired = {known for known in self.retired if known[:2] != (catalog, levels)}

    def any_namespace(self, index: int) -> tuple[str, CatalogModel, Levels]:
        found = [(n, m, levels) for n, m in sorted(self.catalogs.items()) for levels in sorted(m.namespaces)]
        return found[index % len(found)]

    # tables

    @precondition(lambda self: any(model.namespaces for model in self.catalogs.values()))
    @rule(index=indices, name=names)
    def create_table(self, index: int, name: str) -> None:
        catalog, model, levels = self.any_namespace(index)
        name = f"t{name}"
        if (catalog, levels, name) in self.retired:
            return
        body = {"name": name, "schema": {"type": "struct", "schema-id": 0, "fields": FIELDS}}
        answer = self.call("POST", f"{self.namespace_path(catalog, levels)}/tables", body)
        exists = (levels, name) in model.tables
        assert answer.status_code == (409 if exists else 200), answer.text
        if not exists:
            model.tables[levels, name] = {}
            self.uuids[catalog, levels, name] = answer.json()["metadata"]["table-uuid"]

    @precondition(lambda self: any(model.tables for model in self.catalogs.values()))
    @rule(index=indices, key=names, value=st.text(letters, max_size=5), right=st.booleans())
    def commit(self, index: int, key: str, value: str, *, right: bool) -> None:
        catalog, model, levels, name = self.any_table(index)
        uuid = self.uuids[catalog, levels, name] if right else "00000000-0000-4000-8000-000000000000"
        body = {
            "requirements": [{"type": "assert-table-uuid", "uuid": uuid}],
            "updates": [{"action": "set-properties", "updates": {key: value}}],
        }
        answer = self.call("POST", self.table_path(catalog, levels, name), body)
        assert answer.status_code == (200 if right else 409), answer.text
        if right:
            model.tables[levels, name][key] = value

    @precondition(lambda self: any(model.tables for model in self.catalogs.values()))
    @rule(index=indices)
    def load_table(self, index: int) -> None:
        catalog, model, levels, name = self.any_table(index)
        metadata = self.call("GET", self.table_path(catalog, levels, name)).json()["metadata"]
        assert metadata["table-uuid"] == self.uuids[catalog, levels, name]
        assert metadata["properties"].items() >= model.tables[levels, name].items()

    @precondition(lambda self: any(model.tables for model in self.catalogs.values()))
    @rule(index=indices, new_name=names)
    def rename_table(self, index: int, new_name: str) -> None:
        catalog, model, levels, name = self.any_table(index)
        new_name = f"t{new_name}"
        if new_name == name or (catalog, levels, new_name) in self.retired:
            return
        pair = {"namespace": list(levels), "name": name}, {"namespace": list(levels), "name": new_name}
        body = {"source": pair[0], "destination": pair[1]}
        answer = self.call("POST", f"{ICEBERG}/{catalog}/tables/rename", body)
        exists = (levels, new_name) in model.tables
        assert answer.status_code == (409 if exists else 200), answer.text
        if not exists:
            model.tables[levels, new_name] = model.tables.pop((levels, name))
            self.uuids[catalog, levels, new_name] = self.uuids.pop((catalog, levels, name))
            self.retired |= {(catalog, levels, name), (catalog, levels, new_name)}

    @precondition(lambda self: any(model.tables for model in self.catalogs.values()))
    @rule(index=indices)
    def drop_table(self, index: int) -> None:
        catalog, model, levels, name = self.any_table(index)
        path = self.table_path(catalog, levels, name)
        assert self.call("DELETE", path).status_code == 204
        assert self.call("HEAD", path).status_code == 404
        del model.tables[levels, name]

    def any_table(self, index: int) -> tuple[str, CatalogModel, Levels, str]:
        found = [(n, m, *key) for n, m in sorted(self.catalogs.items()) for key in sorted(m.tables)]
        return found[index % len(found)]

    # what must always hold

    @precondition(lambda self: self.catalogs)
    @rule(index=indices)
    def the_user_may_what_it_was_given(self, index: int) -> None:
        catalog, model = self.catalog(index)
        held = {role for _, role in model.assigned} if self.has_role else set()
        allowed = {act for role in held for privilege in model.roles[role] for act in PRIVILEGES[privilege]}
        listing = self.call("GET", f"{ICEBERG}/{catalog}/namespaces", user=True)
        assert listing.status_code == (200 if "list" in allowed else 403), listing.text
        body = {"namespace": ["nowhere", "child"]}
        creating = self.call("POST", f"{ICEBERG}/{catalog}/namespaces", body, user=True)
        assert creating.status_code == 404, "a missing parent wins over a missing privilege"

    @rule()
    def everything_is_listed(self) -> None:
        found = self.call("GET", f"{MANAGEMENT}/catalogs").json()["catalogs"]
        assert {c["name"] for c in found if c["name"].startswith(self.prefix)} == set(self.catalogs)
        for catalog, model in self.catalogs.items():
            top = self.call("GET", f"{ICEBERG}/{catalog}/namespaces").json()["namespaces"]
            assert sorted(map(tuple, top)) == sorted(n for n in model.namespaces if len(n) == 1)
            roles = self.call("GET", f"{MANAGEMENT}/catalogs/{catalog}/catalog-roles").json()["roles"]
            assert {role["name"] for role in roles} == {"catalog_admin", *model.roles}
            for levels, properties in model.namespaces.items():
                loaded = self.call("GET", self.namespace_path(catalog, levels)).json()
                assert loaded["properties"]["note"] == properties["note"]
                tables = self.call("GET", f"{self.namespace_path(catalog, levels)}/tables").json()
                expected = {name for place, name in model.tables if place == levels}
                assert {table["name"] for table in tables["identifiers"]} == expected

    def teardown(self) -> None:
        self.everything_is_listed()
        gone = []
        for catalog, model in self.catalogs.items():
            gone += [self.table_path(catalog, levels, name) for levels, name in model.tables]
            gone += [self.namespace_path(catalog, n) for n in sorted(model.namespaces, key=len, reverse=True)]
            gone += [self.role_path(catalog, role) for role in model.roles]
            gone.append(f"{MANAGEMENT}/catalogs/{catalog}")
        gone += [f"{MANAGEMENT}/principals/{self.prefix}", f"{MANAGEMENT}/principal-roles/{self.role}"]
        answers = {path: self.call("DELETE", path).status_code for path in gone}
        self.session.close()
        assert set(answers.values()) == {204}, answers


def test_random_orders_follow_the_model(server: Server, store: Proxy) -> None:
    def machine() -> RuleBasedStateMachine:
        return PolarisMachine(server, store)

    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]  # any factory will do; the annotation names the class only
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            database=None,
            print_blob=True,
            # Shrinking sends thousands of requests; the first failing order tells enough.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

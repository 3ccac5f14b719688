"""Privileges of catalog roles: list, add (PUT), take back (POST, as Polaris has it).

A grant names a privilege on the catalog, on a namespace or on a table. Views and policies are not kept
here, so grants on them find nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polaris_standin.access import path_of, require
from polaris_standin.errors import empty_400, grant_not_found, no_such_namespace, no_such_table, not_found
from polaris_standin.management.bodies import read, top_level, unwrap
from polaris_standin.management.roles import catalog_role
from polaris_standin.privileges import GRANTABLE
from polaris_standin.store import Entity, Kind, Store
from polaris_standin.wire import CREATED, Answer, Call

if TYPE_CHECKING:
    from polaris_standin.store import Grant

_TYPE_OF_KIND = {Kind.CATALOG: "catalog", Kind.NAMESPACE: "namespace", Kind.TABLE: "table"}


def list_all(call: Call) -> Answer:
    """What a catalog role holds."""
    store = call.service.store
    catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
    role = catalog_role(store, catalog, call.path["catalog_role"])
    require(store, call.caller, "LIST_GRANTS_FOR_CATALOG_ROLE", role)
    return Answer(200, {"grants": [_representation(store, grant) for grant in store.grants_to(role.id)]})


def add(call: Call) -> Answer:
    """Give a catalog role a privilege; twice is the same as once."""
    store = call.service.store
    with store.transaction():
        role, securable, privilege = _resolve(call, "AddGrantRequest", "ADD_{}_GRANT_TO_CATALOG_ROLE")
        store.grant(role.id, securable.id, privilege)
    return CREATED


def revoke(call: Call) -> Answer:
    """Take a privilege from a catalog role."""
    store = call.service.store
    with store.transaction():
        role, securable, privilege = _resolve(call, "RevokeGrantRequest", "REVOKE_{}_GRANT_FROM_CATALOG_ROLE")
        if not store.revoke(role.id, securable.id, privilege):
            raise grant_not_found()
    return CREATED


def _resolve(call: Call, request: str, operation: str) -> tuple[Entity, Entity, str]:
    """Role, securable and privilege of a grant that the caller may give or take."""
    given = unwrap(read(call, request, "getGrant"), "grant")
    grant_type, privilege = given.get("type"), given.get("privilege")
    if not isinstance(grant_type, str) or privilege not in GRANTABLE.get(grant_type, ()):
        raise empty_400()
    store = call.service.store
    catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
    role = store.find(Kind.CATALOG_ROLE, catalog.id, call.path["catalog_role"])
    if role is None:
        raise not_found(f"CatalogRole not found: {catalog.name}.{call.path['catalog_role']}")
    securable = _securable(store, catalog, grant_type, given)
    require(store, call.caller, operation.format(grant_type.upper()), securable, role)
    return role, securable, str(privilege)


def _securable(store: Store, catalog: Entity, grant_type: str, given: dict[str, Any]) -> Entity:
    """What the privilege is on."""
    if grant_type == "catalog":
        return catalog
    levels = given.get("namespace")
    if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
        raise empty_400()
    place = catalog
    for level in levels:
        found = store.find(Kind.NAMESPACE, place.id, level)
        if found is None:
            raise no_such_namespace(".".join(levels))
        place = found
    if grant_type == "namespace":
        return place
    table = store.find(Kind.TABLE, place.id, str(given.get("tableName")))
    if table is None:
        raise no_such_table(".".join([*levels, str(given.get("tableName"))]))
    return table


def _representation(store: Store, grant: Grant) -> dict[str, Any]:
    """A grant as the API shows it: the place, the privilege and the type."""
    path = path_of(store, store.get(grant.securable))
    grant_type = _TYPE_OF_KIND[path[-1].kind]
    place: dict[str, Any] = {}
    if grant_type != "catalog":
        place["namespace"] = [entity.name for entity in path if entity.kind is Kind.NAMESPACE]
    if grant_type == "table":
        place["tableName"] = path[-1].name
    return {**place, "privilege": grant.privilege, "type": grant_type}

"""Who holds which role: principal roles of principals, catalog roles of principal roles.

Assigning twice is the same as once; taking back what was not given is 400 `GRANT_NOT_FOUND`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polaris_standin.access import held, holders, require
from polaris_standin.errors import grant_not_found, not_found
from polaris_standin.management import principals
from polaris_standin.management.bodies import read, required_name, top_level, unwrap
from polaris_standin.management.roles import catalog_role, roles_answer
from polaris_standin.store import CATALOG_ROLE_USAGE, PRINCIPAL_ROLE_USAGE, ROOT_CONTAINER, Entity, Kind, Store
from polaris_standin.wire import CREATED, NO_CONTENT, Answer, Call

if TYPE_CHECKING:
    from polaris_standin.errors import ApiError


def principal_roles_of_principal(call: Call) -> Answer:
    """The principal roles that a principal holds."""
    store = call.service.store
    principal = top_level(store, Kind.PRINCIPAL, call.path["principal"])
    require(store, call.caller, "LIST_PRINCIPAL_ROLES_ASSIGNED", principal)
    return roles_answer(held(store, principal.id, PRINCIPAL_ROLE_USAGE))


def principals_of_principal_role(call: Call) -> Answer:
    """The principals that hold a principal role."""
    store = call.service.store
    role = top_level(store, Kind.PRINCIPAL_ROLE, call.path["principal_role"])
    require(store, call.caller, "LIST_ASSIGNEE_PRINCIPALS_FOR_PRINCIPAL_ROLE", role)
    found = holders(store, role.id, PRINCIPAL_ROLE_USAGE)
    return Answer(200, {"principals": [principals.representation(principal) for principal in found]})


def assign_principal_role(call: Call) -> Answer:
    """Give a principal a principal role."""
    inner = unwrap(read(call, "GrantPrincipalRoleRequest", "getPrincipalRole"), "principalRole")
    name = required_name(inner, "assignPrincipalRole.grantPrincipalRoleRequest.principalRole.name")
    store = call.service.store
    with store.transaction():
        role, principal = _principal_pair(store, name, call.path["principal"], "assign", "to")
        require(store, call.caller, "ASSIGN_PRINCIPAL_ROLE", role, principal)
        store.grant(principal.id, role.id, PRINCIPAL_ROLE_USAGE)
    return CREATED


def revoke_principal_role(call: Call) -> Answer:
    """Take a principal role from a principal."""
    store = call.service.store
    with store.transaction():
        names = call.path["principal_role"], call.path["principal"]
        role, principal = _principal_pair(store, *names, "revoke", "from")
        require(store, call.caller, "REVOKE_PRINCIPAL_ROLE", role, principal)
        if not store.revoke(principal.id, role.id, PRINCIPAL_ROLE_USAGE):
            raise grant_not_found()
    return NO_CONTENT


def catalog_roles_of_principal_role(call: Call) -> Answer:
    """The roles of one catalog that a principal role holds."""
    store = call.service.store
    role = top_level(store, Kind.PRINCIPAL_ROLE, call.path["principal_role"])
    catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
    require(store, call.caller, "LIST_CATALOG_ROLES_FOR_PRINCIPAL_ROLE", role)
    found = held(store, role.id, CATALOG_ROLE_USAGE)
    return roles_answer([held_role for held_role in found if held_role.parent == catalog.id])


def principal_roles_of_catalog_role(call: Call) -> Answer:
    """The principal roles that hold a catalog role."""
    store = call.service.store
    catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
    role = catalog_role(store, catalog, call.path["catalog_role"])
    require(store, call.caller, "LIST_ASSIGNEE_PRINCIPAL_ROLES_FOR_CATALOG_ROLE", role)
    return roles_answer(holders(store, role.id, CATALOG_ROLE_USAGE))


def assign_catalog_role(call: Call) -> Answer:
    """Give a principal role a catalog role."""
    inner = unwrap(read(call, "GrantCatalogRoleRequest", "getCatalogRole"), "catalogRole")
    name = required_name(inner, "assignCatalogRoleToPrincipalRole.grantCatalogRoleRequest.catalogRole.name")
    store = call.service.store
    with store.transaction():
        role, grantee = _catalog_pair(call, name, "assign", "to")
        require(store, call.caller, "ASSIGN_CATALOG_ROLE_TO_PRINCIPAL_ROLE", role, grantee)
        store.grant(grantee.id, role.id, CATALOG_ROLE_USAGE)
    return CREATED


def revoke_catalog_role(call: Call) -> Answer:
    """Take a catalog role from a principal role."""
    store = call.service.store
    with store.transaction():
        role, grantee = _catalog_pair(call, call.path["catalog_role"], "revoke", "from")
        require(store, call.caller, "REVOKE_CATALOG_ROLE_FROM_PRINCIPAL_ROLE", role, grantee)
        if not store.revoke(grantee.id, role.id, CATALOG_ROLE_USAGE):
            raise grant_not_found()
    return NO_CONTENT


def _principal_pair(
    store: Store, role_name: str, principal_name: str, verb: str, preposition: str
) -> tuple[Entity, Entity]:
    """The principal role and the principal of an assignment."""
    sentence = f"{verb} {role_name} {preposition} {principal_name}"
    principal = store.find(Kind.PRINCIPAL, ROOT_CONTAINER, principal_name)
    if principal is None:
        raise _missing(principal_name, sentence)
    role = store.find(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER, role_name)
    if role is None:
        raise _missing(role_name, sentence)
    return role, principal


def _catalog_pair(call: Call, role_name: str, verb: str, preposition: str) -> tuple[Entity, Entity]:
    """The catalog role and the principal role of an assignment."""
    store = call.service.store
    catalog_name, grantee_name = call.path["catalog"], call.path["principal_role"]
    sentence = f"{verb} {catalog_name}.{role_name} {preposition} {grantee_name}"
    grantee = store.find(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER, grantee_name)
    if grantee is None:
        raise _missing(grantee_name, sentence)
    catalog = store.find(Kind.CATALOG, ROOT_CONTAINER, catalog_name)
    if catalog is None:
        raise _missing(catalog_name, sentence)
    role = store.find(Kind.CATALOG_ROLE, catalog.id, role_name)
    if role is None:
        # The server prints its own resolver's key here.
        key = f"ResolvedPathKey[entityNames=[{role_name}], entityType=CATALOG_ROLE]"
        raise _missing(f"ResolverPath[key={key}, optional=false]", sentence)
    return role, grantee


def _missing(entity: str, sentence: str) -> ApiError:
    return not_found(f"Entity {entity} not found when trying to {sentence}")

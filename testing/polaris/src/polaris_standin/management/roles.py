"""Principal roles and catalog roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polaris_standin.access import require
from polaris_standin.errors import not_found, refused
from polaris_standin.management.bodies import (
    check_version,
    read,
    required_name,
    string_map,
    taken,
    times,
    top_level,
    unwrap,
)
from polaris_standin.management.catalogs import CATALOG_ADMIN
from polaris_standin.principals import SERVICE_ADMIN
from polaris_standin.store import ROOT_CONTAINER, DuplicateError, Entity, Kind
from polaris_standin.wire import CREATED, NO_CONTENT, Answer, Call

if TYPE_CHECKING:
    from polaris_standin.store import Store


def representation(role: Entity) -> dict[str, Any]:
    """A role as the API shows it; only principal roles can be federated."""
    federated = {"federated": role.body["federated"]} if role.kind is Kind.PRINCIPAL_ROLE else {}
    return {"name": role.name, **federated, "properties": role.body["properties"], **times(role)}


def roles_answer(roles: list[Entity]) -> Answer:
    """The shape of every list of roles."""
    return Answer(200, {"roles": [representation(role) for role in roles]})


def catalog_role(store: Store, catalog: Entity, name: str) -> Entity:
    """A role of a catalog by name.

    Raises:
        ApiError: 404.
    """
    role = store.find(Kind.CATALOG_ROLE, catalog.id, name)
    if role is None:
        raise not_found(f"CatalogRole does not exist: {name}")
    return role


# principal roles


def list_principal_roles(call: Call) -> Answer:
    """All principal roles, oldest first."""
    require(call.service.store, call.caller, "LIST_PRINCIPAL_ROLES", None)
    return roles_answer(call.service.store.children(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER))


def get_principal_role(call: Call) -> Answer:
    """One principal role."""
    return Answer(200, representation(_principal_role(call, "GET_PRINCIPAL_ROLE")))


def create_principal_role(call: Call) -> Answer:
    """Make a principal role."""
    inner = unwrap(read(call, "CreatePrincipalRoleRequest", "getPrincipalRole"), "principalRole")
    name = required_name(inner, "createPrincipalRole.createPrincipalRoleRequest.principalRole.name")
    store = call.service.store
    require(store, call.caller, "CREATE_PRINCIPAL_ROLE", None)
    body = {
        "federated": inner.get("federated") is True,
        "properties": string_map(inner.get("properties")),
    }
    try:
        role = store.add(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER, name, body)
    except DuplicateError:
        raise taken("PrincipalRole", name) from None
    return Answer(CREATED.status, representation(role))


def update_principal_role(call: Call) -> Answer:
    """Replace the properties; optimistic on `currentEntityVersion`."""
    given = read(call, "UpdatePrincipalRoleRequest", "getCurrentEntityVersion")
    with call.service.store.transaction():
        return _updated(call, _principal_role(call, "UPDATE_PRINCIPAL_ROLE"), given, "PrincipalRole")


def delete_principal_role(call: Call) -> Answer:
    """Remove a principal role and all that was given to it and by it."""
    with call.service.store.transaction():
        role = _principal_role(call, "DELETE_PRINCIPAL_ROLE")
        if role.name == SERVICE_ADMIN:
            raise refused("Service admin role cannot be dropped")
        call.service.store.remove(role)
    return NO_CONTENT


# catalog roles


def list_catalog_roles(call: Call) -> Answer:
    """The roles of a catalog, oldest first."""
    store = call.service.store
    catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
    require(store, call.caller, "LIST_CATALOG_ROLES", catalog)
    return roles_answer(store.children(Kind.CATALOG_ROLE, catalog.id))


def get_catalog_role(call: Call) -> Answer:
    """One role of a catalog."""
    return Answer(200, representation(_catalog_role(call, "GET_CATALOG_ROLE")))


def create_catalog_role(call: Call) -> Answer:
    """Make a role in a catalog."""
    inner = unwrap(read(call, "CreateCatalogRoleRequest", "getCatalogRole"), "catalogRole")
    name = required_name(inner, "createCatalogRole.createCatalogRoleRequest.catalogRole.name")
    store = call.service.store
    with store.transaction():
        catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
        require(store, call.caller, "CREATE_CATALOG_ROLE", catalog)
        try:
            body = {"properties": string_map(inner.get("properties"))}
            role = store.add(Kind.CATALOG_ROLE, catalog.id, name, body)
        except DuplicateError:
            raise taken("CatalogRole", name, catalog.name) from None
    return Answer(CREATED.status, representation(role))


def update_catalog_role(call: Call) -> Answer:
    """Replace the properties; optimistic on `currentEntityVersion`."""
    given = read(call, "UpdateCatalogRoleRequest", "getCurrentEntityVersion")
    with call.service.store.transaction():
        return _updated(call, _catalog_role(call, "UPDATE_CATALOG_ROLE"), given, "CatalogRole")


def delete_catalog_role(call: Call) -> Answer:
    """Remove a role of a catalog, except `catalog_admin`."""
    with call.service.store.transaction():
        role = _catalog_role(call, "DELETE_CATALOG_ROLE")
        if role.name == CATALOG_ADMIN:
            raise refused("Catalog admin role cannot be dropped")
        call.service.store.remove(role)
    return NO_CONTENT


def _principal_role(call: Call, operation: str) -> Entity:
    store = call.service.store
    role = top_level(store, Kind.PRINCIPAL_ROLE, call.path["principal_role"])
    require(store, call.caller, operation, role)
    return role


def _catalog_role(call: Call, operation: str) -> Entity:
    store = call.service.store
    catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
    role = catalog_role(store, catalog, call.path["catalog_role"])
    require(store, call.caller, operation, role)
    return role


def _updated(call: Call, role: Entity, given: dict[str, Any], label: str) -> Answer:
    check_version(given, role, label)
    body = {**role.body, "properties": string_map(given.get("properties"))}
    return Answer(200, representation(call.service.store.update(role, body)))

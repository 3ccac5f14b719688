"""Catalogs: create, read, change, delete.

Measured peculiarities that clients meet: the answer to a create shows `lastUpdateTimestamp` 0; the default
location always joins the allowed ones; properties are replaced as a whole but the default location stays;
an update of the storage alone drops the other properties; the storage itself is never looked at.
"""

from __future__ import annotations

from typing import Any

from polaris_standin.access import require
from polaris_standin.errors import (
    ApiError,
    commit_conflict,
    empty_400,
    illegal_argument,
    refused,
    violation,
)
from polaris_standin.locations import any_overlap
from polaris_standin.management.bodies import (
    check_name,
    check_version,
    read,
    string_map,
    taken,
    times,
    top_level,
    unwrap,
)
from polaris_standin.principals import SERVICE_ADMIN
from polaris_standin.store import (
    CATALOG_ROLE_USAGE,
    ROOT_CONTAINER,
    Entity,
    Kind,
    StaleError,
    Store,
)
from polaris_standin.wire import CREATED, NO_CONTENT, Answer, Call

CATALOG_ADMIN = "catalog_admin"
BASE_LOCATION = "default-base-location"
_FIELD = "createCatalog.createCatalogRequest.catalog"
_STORAGE_FIELDS = ("region", "endpoint", "endpointInternal", "stsEndpoint", "stsUnavailable", "pathStyleAccess")
_ROLE_FIELDS = ("roleArn", "externalId", "userArn")


def representation(catalog: Entity, *, is_new: bool = False) -> dict[str, Any]:
    """A catalog as the API shows it."""
    return {
        "type": catalog.body["type"],
        "name": catalog.name,
        "properties": catalog.body["properties"],
        **times(catalog),
        **({"lastUpdateTimestamp": 0} if is_new else {}),
        "storageConfigInfo": catalog.body["storage"],
    }


def list_all(call: Call) -> Answer:
    """All catalogs, oldest first."""
    require(call.service.store, call.caller, "LIST_CATALOGS", None)
    catalogs = call.service.store.children(Kind.CATALOG, ROOT_CONTAINER)
    return Answer(200, {"catalogs": [representation(catalog) for catalog in catalogs]})


def get(call: Call) -> Answer:
    """One catalog."""
    catalog = top_level(call.service.store, Kind.CATALOG, call.path["catalog"])
    require(call.service.store, call.caller, "GET_CATALOG", catalog)
    return Answer(200, representation(catalog))


def create(call: Call) -> Answer:
    """Make a catalog with its `catalog_admin` role, which goes to `service_admin`."""
    given = unwrap(read(call, "CreateCatalogRequest", "getCatalog"), "catalog")
    name, body = _validated(given)
    store = call.service.store
    require(store, call.caller, "CREATE_CATALOG", None)
    with store.transaction():
        _check_free(store, name, body["storage"]["allowedLocations"])
        catalog = store.add(Kind.CATALOG, ROOT_CONTAINER, name, body)
        admin = store.add(Kind.CATALOG_ROLE, catalog.id, CATALOG_ADMIN, {"properties": {}})
        for privilege in ("CATALOG_MANAGE_ACCESS", "CATALOG_MANAGE_METADATA"):
            store.grant(admin.id, catalog.id, privilege)
        service_admin = top_level(store, Kind.PRINCIPAL_ROLE, SERVICE_ADMIN)
        store.grant(service_admin.id, admin.id, CATALOG_ROLE_USAGE)
    return Answer(CREATED.status, representation(catalog, is_new=True))


def update(call: Call) -> Answer:
    """Change properties, storage, or both; optimistic on `currentEntityVersion`."""
    given = read(call, "UpdateCatalogRequest", "getCurrentEntityVersion")
    store = call.service.store
    with store.transaction():
        catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
        require(store, call.caller, "UPDATE_CATALOG", catalog)
        check_version(given, catalog, "Catalog")
        try:
            changed = store.update(catalog, _changed(catalog, given))
        except StaleError:
            raise commit_conflict("Failed to update Catalog; it was changed concurrently") from None
    return Answer(200, representation(changed))


def delete(call: Call) -> Answer:
    """Remove a catalog that holds nothing but its `catalog_admin` role."""
    store = call.service.store
    with store.transaction():
        catalog = top_level(store, Kind.CATALOG, call.path["catalog"])
        require(store, call.caller, "DELETE_CATALOG", catalog)
        roles = store.children(Kind.CATALOG_ROLE, catalog.id)
        if store.children(Kind.NAMESPACE, catalog.id) or [r for r in roles if r.name != CATALOG_ADMIN]:
            raise refused(f"Catalog '{catalog.name}' cannot be dropped, it is not empty")
        for role in roles:
            store.remove(role)
        store.remove(catalog)
    return NO_CONTENT


def _validated(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and body of a new catalog: first what the model needs, then the declared constraints."""
    if given.get("type") not in ("INTERNAL", "EXTERNAL"):
        raise empty_400()
    properties, storage = given.get("properties"), given.get("storageConfigInfo")
    if properties is not None and BASE_LOCATION not in string_map(properties):
        raise empty_400()
    if storage is not None:
        _check_storage_type(storage)
    for field in ("name", "properties", "storageConfigInfo"):
        if given.get(field) is None:
            raise violation(f"{_FIELD}.{field}", "must not be null")
    check_name(str(given["name"]), f"{_FIELD}.name")
    properties = string_map(properties)
    storage = _storage(given["storageConfigInfo"], properties[BASE_LOCATION])
    return str(given["name"]), {"type": given["type"], "properties": properties, "storage": storage}


def _check_storage_type(storage: Any) -> None:
    if not isinstance(storage, dict) or storage.get("storageType") not in ("S3", "GCS", "AZURE", "FILE"):
        raise empty_400()


def _storage(given: dict[str, Any], base: str) -> dict[str, Any]:
    """The storage configuration as it is kept; the default location joins the allowed ones."""
    if given["storageType"] != "S3":
        raise illegal_argument(f"Unsupported storage type: {given['storageType']}")
    allowed = list(dict.fromkeys([*(given.get("allowedLocations") or []), base]))
    optional = {field: given[field] for field in (*_ROLE_FIELDS, *_STORAGE_FIELDS) if given.get(field) is not None}
    keys = {"allowedKmsKeys": given.get("allowedKmsKeys") or []}
    return {**keys, **optional, "storageType": "S3", "allowedLocations": allowed}


def _changed(catalog: Entity, given: dict[str, Any]) -> dict[str, Any]:
    """The body after an update."""
    base = catalog.body["properties"][BASE_LOCATION]
    properties = {BASE_LOCATION: base, **string_map(given.get("properties"))}
    if given.get("storageConfigInfo") is None:
        storage = dict(catalog.body["storage"])
        if properties[BASE_LOCATION] not in storage["allowedLocations"]:
            storage["allowedLocations"] = [*storage["allowedLocations"], properties[BASE_LOCATION]]
    else:
        _check_storage_type(given["storageConfigInfo"])
        storage = _storage(given["storageConfigInfo"], properties[BASE_LOCATION])
    return {**catalog.body, "properties": properties, "storage": storage}


def _check_free(store: Store, name: str, locations: list[str]) -> None:
    """A taken name wins over a taken location."""
    if store.find(Kind.CATALOG, ROOT_CONTAINER, name) is not None:
        raise taken("Catalog", name)
    for other in store.children(Kind.CATALOG, ROOT_CONTAINER):
        if any_overlap(locations, other.body["storage"]["allowedLocations"]):
            message = f"Cannot create Catalog {name}. One or more of its locations overlaps with an existing catalog"
            raise ApiError(400, "ValidationException", message)

"""Namespaces: list, create, load, drop, properties."""

from __future__ import annotations

from typing import Any

from polaris_standin.access import require
from polaris_standin.errors import (
    ApiError,
    already_exists,
    bad_request,
    commit_conflict,
    forbidden,
    null_pointer,
)
from polaris_standin.iceberg.places import Place, catalog, levels_in_body, levels_of, namespace, place
from polaris_standin.locations import holds
from polaris_standin.store import DuplicateError, Kind, StaleError
from polaris_standin.wire import NO_CONTENT, Answer, Call


def list_all(call: Call) -> Answer:
    """The namespaces directly below the catalog or below `parent`; one page, whatever its size."""
    parent = call.query.get("parent")
    here = place(call.service.store, catalog(call), levels_of(parent) if parent else ())
    require(call.service.store, call.caller, "LIST_NAMESPACES", here.entity)
    children = call.service.store.children(Kind.NAMESPACE, here.entity.id)
    names = [[*here.levels, child.name] for child in children]
    return Answer(200, {"namespaces": names, "next-page-token": None})


def create(call: Call) -> Answer:
    """Make a namespace below one that is there; it gets a location below its parent's."""
    body = _object(call)
    if body.get("namespace") is None:
        namespace_call = "org.apache.iceberg.catalog.Namespace.isEmpty()"
        raise null_pointer(f'Cannot invoke "{namespace_call}" because "namespace" is null')
    levels = levels_in_body(body["namespace"])
    properties = _strings(body.get("properties"))
    if not levels:
        raise already_exists("Cannot create root namespace, as it already exists implicitly.")
    store = call.service.store
    with store.transaction():
        parent = place(store, catalog(call), levels[:-1])
        require(store, call.caller, "CREATE_NAMESPACE", parent.entity)
        properties.setdefault("location", f"{parent.location}/{levels[-1]}/")
        _check_location(parent, properties["location"])
        try:
            store.add(Kind.NAMESPACE, parent.entity.id, levels[-1], {"properties": properties})
        except DuplicateError:
            name = ".".join(levels)
            raise already_exists(f"Cannot create namespace {name}. Namespace already exists") from None
    return Answer(200, {"namespace": list(levels), "properties": properties})


def load(call: Call) -> Answer:
    """The properties of a namespace."""
    here = namespace(call)
    require(call.service.store, call.caller, "LOAD_NAMESPACE_METADATA", here.entity)
    return Answer(200, {"namespace": list(here.levels), "properties": here.entity.body["properties"]})


def exists(call: Call) -> Answer:
    """204 for a namespace that is there."""
    here = namespace(call)
    require(call.service.store, call.caller, "NAMESPACE_EXISTS", here.entity)
    return NO_CONTENT


def drop(call: Call) -> Answer:
    """Remove a namespace that holds nothing."""
    store = call.service.store
    with store.transaction():
        here = namespace(call)
        require(store, call.caller, "DROP_NAMESPACE", here.entity)
        if any(store.children(kind, here.entity.id) for kind in (Kind.NAMESPACE, Kind.TABLE)):
            raise ApiError(409, "NamespaceNotEmptyException", f"Namespace {here.name} is not empty")
        store.remove(here.entity)
    return NO_CONTENT


def update_properties(call: Call) -> Answer:
    """Set and remove properties.

    Both in one request end in a conflict after the updates were made: the server applies the two parts one
    after the other and takes its own first change for somebody else's. Measured, and kept.
    """
    body = _object(call)
    updates, removals = _strings(body.get("updates")), _names(body.get("removals"))
    both = [key for key in removals if key in updates]
    if both:
        message = f"Invalid namespace update, cannot simultaneously set and remove keys: [{', '.join(both)}]"
        raise ApiError(422, "UnprocessableEntityException", message)
    store = call.service.store
    here = namespace(call)
    require(store, call.caller, "UPDATE_NAMESPACE_PROPERTIES", here.entity)
    before = here.entity.body["properties"]
    kept = {key: value for key, value in before.items() if updates or key not in removals}
    conflict = commit_conflict(f"Concurrent modification of namespace: {here.name}")
    try:
        store.update(here.entity, {"properties": {**kept, **updates}})
    except StaleError:
        raise conflict from None
    if updates and removals:
        raise conflict
    answer = {
        "removed": [key for key in removals if key in before],
        "updated": list(updates),
        "missing": [key for key in removals if key not in before],
    }
    return Answer(200, answer)


def _check_location(parent: Place, location: str) -> None:
    """A namespace lies inside its parent."""
    if not holds(parent.location, location):
        raise forbidden(
            f"Invalid locations '[{location}]' for identifier '{parent.name}': "
            f"{location} is not in the list of allowed locations: [{parent.location}]"
        )


def _object(call: Call) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise bad_request()
    return body


def _strings(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise bad_request()
    return dict(value)


def _names(value: Any) -> list[str]:
    if value is None:
        return []
    return list(levels_in_body(value))

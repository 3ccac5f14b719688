"""Principals: create, read, change, delete, rotate and reset of their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polaris_standin import principals
from polaris_standin.access import require
from polaris_standin.errors import commit_conflict, refused
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
from polaris_standin.store import ROOT_CONTAINER, DuplicateError, Entity, Kind, StaleError
from polaris_standin.wire import CREATED, NO_CONTENT, Answer, Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from polaris_standin.store import Store


def representation(principal: Entity) -> dict[str, Any]:
    """A principal as the API shows it; never a secret."""
    return {
        "name": principal.name,
        "clientId": principal.body["clientId"],
        "properties": principal.body["properties"],
        **times(principal),
    }


def list_all(call: Call) -> Answer:
    """All principals, oldest first."""
    require(call.service.store, call.caller, "LIST_PRINCIPALS", None)
    found = call.service.store.children(Kind.PRINCIPAL, ROOT_CONTAINER)
    return Answer(200, {"principals": [representation(principal) for principal in found]})


def get(call: Call) -> Answer:
    """One principal."""
    return Answer(200, representation(_target(call, "GET_PRINCIPAL")))


def create(call: Call) -> Answer:
    """Make a principal; its secret is in this answer and nowhere else."""
    body = read(call, "CreatePrincipalRequest", "getPrincipal")
    inner = unwrap(body, "principal")
    name = required_name(inner, "createPrincipal.createPrincipalRequest.principal.name")
    store = call.service.store
    require(store, call.caller, "CREATE_PRINCIPAL", None)
    try:
        principal, secret = principals.create(
            store,
            name,
            string_map(inner.get("properties")),
            must_rotate=body.get("credentialRotationRequired") is True,
        )
    except DuplicateError:
        raise taken("Principal", name) from None
    return Answer(CREATED.status, _with_credentials(principal, secret))


def update(call: Call) -> Answer:
    """Replace the properties; optimistic on `currentEntityVersion`."""
    given = read(call, "UpdatePrincipalRequest", "getCurrentEntityVersion")
    store = call.service.store
    with store.transaction():
        principal = _target(call, "UPDATE_PRINCIPAL")
        check_version(given, principal, "Principal")
        body = {**principal.body, "properties": string_map(given.get("properties"))}
        return Answer(200, representation(store.update(principal, body)))


def delete(call: Call) -> Answer:
    """Remove a principal; its tokens and grants are void at once."""
    store = call.service.store
    with store.transaction():
        principal = _target(call, "DELETE_PRINCIPAL")
        if principal.name == "root":
            raise refused("Root principal cannot be dropped")
        store.remove(principal)
    return NO_CONTENT


def rotate(call: Call) -> Answer:
    """New secret, asked by the principal itself; nobody else may, root included."""
    store = call.service.store
    principal = top_level(store, Kind.PRINCIPAL, call.path["principal"])
    if principal.id != call.caller.principal.id:
        require(store, call.caller, "ROTATE_CREDENTIALS", principal)
    return _renewed(call, principal, principals.rotate)


def reset(call: Call) -> Answer:
    """New secret, made by an administrator."""
    return _renewed(call, _target(call, "RESET_CREDENTIALS"), principals.reset)


def _target(call: Call, operation: str) -> Entity:
    store = call.service.store
    principal = top_level(store, Kind.PRINCIPAL, call.path["principal"])
    require(store, call.caller, operation, principal)
    return principal


def _renewed(call: Call, principal: Entity, renew: Callable[[Store, Entity], tuple[Entity, str]]) -> Answer:
    try:
        return Answer(200, _with_credentials(*renew(call.service.store, principal)))
    except StaleError:
        raise commit_conflict(f"Concurrent modification of principal: {principal.name}") from None


def _with_credentials(principal: Entity, secret: str) -> dict[str, Any]:
    credentials = {"clientId": principal.body["clientId"], "clientSecret": secret}
    return {"principal": representation(principal), "credentials": credentials}

"""Principals and their secrets.

A principal has a main and a secondary secret: after a rotation the previous one still works, once. Only
salted hashes are stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from polaris_standin.store import PRINCIPAL_ROLE_USAGE, ROOT_CONTAINER, Entity, Kind, Store

SERVICE_ADMIN = "service_admin"
_CLIENT_ID_BYTES = 8
_SECRET_BYTES = 16


def create(store: Store, name: str, properties: dict[str, str], *, must_rotate: bool) -> tuple[Entity, str]:
    """A new principal and its secret (32 hex digits).

    Raises:
        DuplicateError: The name is taken.
    """
    secret = secrets.token_hex(_SECRET_BYTES)
    body = _with_secret({"clientId": secrets.token_hex(_CLIENT_ID_BYTES), "properties": properties}, secret)
    body["mustRotate"] = must_rotate
    return store.add(Kind.PRINCIPAL, ROOT_CONTAINER, name, body), secret


def rotate(store: Store, principal: Entity) -> tuple[Entity, str]:
    """Give a principal a new secret and keep the previous one as secondary.

    The first rotation of a principal that was told to rotate drops its first secret and raises its version.

    Raises:
        StaleError: It was changed meanwhile.
    """
    secret = secrets.token_hex(_SECRET_BYTES)
    body = _with_secret(principal.body, secret, secondary=principal.body["main"])
    if not principal.body["mustRotate"]:
        store.amend(principal, body)
        return principal, secret
    body |= {"mustRotate": False, "secondary": body["main"]}
    return store.update(principal, body, touch=False), secret


def reset(store: Store, principal: Entity) -> tuple[Entity, str]:
    """Give a principal a new secret; no earlier one works any more.

    Raises:
        StaleError: It was changed meanwhile.
    """
    secret = secrets.token_hex(_SECRET_BYTES)
    store.amend(principal, _with_secret(principal.body, secret))
    return principal, secret


def authenticate(store: Store, client_id: str, secret: str) -> Entity | None:
    """The principal of a client id, if the secret is one of its two."""
    return next(
        (
            principal
            for principal in store.children(Kind.PRINCIPAL, ROOT_CONTAINER)
            if principal.body["clientId"] == client_id and _fits(principal.body, secret)
        ),
        None,
    )


def bootstrap(store: Store, client_id: str, secret: str) -> None:
    """Make the root principal and `service_admin`, or give the root principal new credentials."""
    with store.transaction():
        body = _with_secret({"clientId": client_id, "properties": {}, "mustRotate": False}, secret)
        root = store.find(Kind.PRINCIPAL, ROOT_CONTAINER, "root")
        if root is not None:
            store.amend(root, {**body, "properties": root.body["properties"]})
            return
        root = store.add(Kind.PRINCIPAL, ROOT_CONTAINER, "root", body)
        admin = store.add(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER, SERVICE_ADMIN, {"properties": {}, "federated": False})
        store.grant(root.id, admin.id, PRINCIPAL_ROLE_USAGE)
        store.grant(admin.id, ROOT_CONTAINER, "SERVICE_MANAGE_ACCESS")


def _with_secret(body: dict[str, Any], secret: str, secondary: str | None = None) -> dict[str, Any]:
    """The body with a new main hash; the salt stays, since the secondary hash was made with it."""
    salt = body.get("salt") or secrets.token_hex(_SECRET_BYTES)
    main = _hash(salt, secret)
    return {**body, "salt": salt, "main": main, "secondary": secondary or main}


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


def _fits(body: dict[str, Any], secret: str) -> bool:
    digest = _hash(body["salt"], secret)
    return any(hmac.compare_digest(digest, body[slot]) for slot in ("main", "secondary"))

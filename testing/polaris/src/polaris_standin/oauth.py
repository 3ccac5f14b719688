"""The token endpoint: client credentials (form or HTTP Basic) and token exchange.

Order of the checks and all texts as measured; a request without `grant_type` meets a null pointer.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from polaris_standin import principals
from polaris_standin.access import SCOPE_PREFIX
from polaris_standin.errors import OAuthError, null_pointer
from polaris_standin.store import Entity, Kind, Store
from polaris_standin.wire import Answer, Call

if TYPE_CHECKING:
    from polaris_standin.tokens import Tokens

_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type name, no password
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def token(call: Call) -> Answer:
    """`POST /v1/oauth/tokens`.

    Raises:
        OAuthError: The grant type, the scope or the client is refused.
        ApiError: 500, no grant type at all.
    """
    form = dict(parse_qsl(call.raw.decode(errors="replace"), keep_blank_values=True))
    store, tokens = call.service.store, call.service.tokens
    match form.get("grant_type"):
        case None:
            raise null_pointer('Cannot invoke "Object.equals(Object)" because "<parameter1>" is null')
        case "client_credentials":
            principal = _by_credentials(store, form, call.headers.get("authorization", ""))
        case grant_type if grant_type == _EXCHANGE:
            principal = _by_token(store, tokens, form)
        case _:
            raise OAuthError(400, "unsupported_grant_type", "The grant type is invalid")
    issued = tokens.issue(
        name=principal.name,
        client_id=principal.body["clientId"],
        principal_id=principal.id,
        scope=form["scope"],
    )
    body = {
        "access_token": issued,
        "token_type": "bearer",
        "issued_token_type": _ACCESS_TOKEN,
        "expires_in": tokens.lifetime,
    }
    return Answer(200, body)


def principal_of(store: Store, tokens: Tokens, access_token: str) -> tuple[Entity, str] | None:
    """The principal and the scope of a live token, unless the principal is gone."""
    claims = tokens.read(access_token)
    if claims is None:
        return None
    principal = store.get(claims["principalId"])
    if principal is None or principal.kind is not Kind.PRINCIPAL:
        return None
    return principal, claims["scope"]


def _by_credentials(store: Store, form: dict[str, str], authorization: str) -> Entity:
    basic = _basic(authorization)
    client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    if not client_id or not secret:
        raise _invalid_client()
    _check_scope(form)
    principal = principals.authenticate(store, client_id, secret)
    if principal is None:
        raise OAuthError(401, "unauthorized_client", "The client is not authorized")
    return principal


def _by_token(store: Store, tokens: Tokens, form: dict[str, str]) -> Entity:
    if form.get("subject_token_type") != _ACCESS_TOKEN:
        raise OAuthError(400, "invalid_request", "The request is invalid")
    _check_scope(form)
    found = principal_of(store, tokens, form.get("subject_token", ""))
    if found is None:
        raise _invalid_client()
    return found[0]


def _check_scope(form: dict[str, str]) -> None:
    scopes = form.get("scope", "").split()
    if not scopes or not all(scope.startswith(SCOPE_PREFIX) for scope in scopes):
        raise OAuthError(400, "invalid_scope", "The scope is invalid")


def _invalid_client() -> OAuthError:
    return OAuthError(400, "invalid_client", "The Client is invalid")


def _basic(authorization: str) -> tuple[str, str] | None:
    """Client id and secret of an HTTP Basic header; None for any other header."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, secret

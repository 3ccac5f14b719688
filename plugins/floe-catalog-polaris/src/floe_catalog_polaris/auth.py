"""Tokens by client credentials: fetched once, kept until shortly before they expire, never printed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from floe_core.errors import CredentialsRefusedError
from pydantic import SecretStr, ValidationError

from floe_catalog_polaris.errors import PolarisAnswerError, PolarisUnavailableError
from floe_catalog_polaris.models import TokenAnswer

if TYPE_CHECKING:
    from floe_catalog_polaris.transport import Exchange, Transport

TOKEN_PATH = "/api/catalog/v1/oauth/tokens"  # noqa: S105 - a path
SCOPE = "PRINCIPAL_ROLE:ALL"
MARGIN_S = 60.0
OK, BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 200, 400, 401, 404
PASSING = frozenset({429, 502, 503, 504})
"""Statuses that may pass by themselves."""


@dataclass(frozen=True)
class Credentials:
    """Who signs in. The secret is wrapped, so that no `repr` and no log shows it."""

    client_id: str
    client_secret: SecretStr = field(repr=False)
    scope: str = SCOPE


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    refresh_at: float


class TokenSource:
    """Hands out a token that is still good, from several threads at once.

    A token is renewed a minute before it expires, or after nine tenths of a life shorter than ten minutes.
    """

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self.credentials = credentials
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def get(self, *, deadline: float, fresh: bool = False) -> str:
        """A token; a `fresh` one is fetched although an older one may still be good.

        Raises:
            CredentialsRefusedError: The server refused the client id or its secret.
            PolarisUnreachableError: No answer came.
            PolarisUnavailableError: The server is not up yet.
            PolarisAnswerError: The answer is none of an OAuth token endpoint.
        """
        with self._lock:
            if fresh or self._token is None or time.monotonic() >= self._token.refresh_at:
                self._token = self._fetch(deadline)
            return self._token.value

    def drop(self, value: str) -> None:
        """Forget the token `value`, which a server refused; a newer one stays."""
        with self._lock:
            if self._token is not None and self._token.value == value:
                self._token = None

    def _fetch(self, deadline: float) -> _Token:
        who = self.credentials
        asked = time.monotonic()
        answer = self._transport.send(
            "POST",
            TOKEN_PATH,
            deadline=deadline,
            form={
                "grant_type": "client_credentials",
                "client_id": who.client_id,
                "client_secret": who.client_secret.get_secret_value(),
                "scope": who.scope,
            },
        )
        if answer.status != OK:
            raise self._refusal(answer)
        try:
            granted = TokenAnswer.model_validate(answer.body)
        except ValidationError as error:
            # The error is not passed on: its text would repeat the answer, which may hold a token.
            fields = ", ".join(str(item["loc"][-1]) if item["loc"] else "body" for item in error.errors())
            raise self._odd(answer, f"HTTP 200 without a usable {fields}") from None
        life = granted.expires_in
        return _Token(granted.access_token, asked + max(life - MARGIN_S, life * 0.9 if life < 10 * MARGIN_S else 0))

    def _refusal(self, answer: Exchange) -> Exception:
        if answer.status in PASSING:
            return PolarisUnavailableError(
                "Polaris gives out no token yet", where=answer.where, why=self._said(answer), remedy="try again shortly"
            )
        if answer.status == UNAUTHORIZED or answer.error_type in {"invalid_client", "unauthorized_client"}:
            return refused(self.credentials.client_id, answer.where, self._said(answer))
        return self._odd(answer, self._said(answer))

    def _odd(self, answer: Exchange, why: str) -> PolarisAnswerError:
        remedies = {
            "MissingOrInvalidRealm": "name the realm with POLARIS_REALM",
            "invalid_scope": f"the scope {self.credentials.scope!r} is not one this server knows",
        }
        return PolarisAnswerError(
            "the token endpoint did not answer as Polaris does",
            where=answer.where,
            why=why,
            remedy=remedies.get(answer.error_type, "check that FLOE_POLARIS_URL names a Polaris server"),
            status=answer.status,
        )

    def _said(self, answer: Exchange) -> str:
        return str(answer).replace(self.credentials.client_secret.get_secret_value() or "\0", "***")


def refused(client_id: str, where: str, why: str) -> CredentialsRefusedError:
    """The error of refused credentials: it names the client id and the endpoint, never the secret."""
    return CredentialsRefusedError(
        f"Polaris refused the credentials of client {client_id!r}",
        where=where,
        why=why,
        remedy="check POLARIS_CLIENT_ID and POLARIS_CLIENT_SECRET against the server's bootstrap credentials",
    )

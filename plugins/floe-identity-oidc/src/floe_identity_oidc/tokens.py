"""Judges one token: its form, its signature by a published key, and its claims."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt
from floe_core.plugins.identity import IdentityError, Principal, Refusal, TokenRefusedError
from floe_core.spec.secrets import SecretRef, resolved

from floe_identity_oidc import claims
from floe_identity_oidc.store import KeyStore
from floe_identity_oidc.urls import check_issuer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_identity_oidc.config import OidcConfig

_REQUIRED = ("iss", "sub", "aud", "exp", "iat")
_MOMENTS = ("exp", "iat", "nbf")
_ODD_INPUT = (ValueError, TypeError, OverflowError, RecursionError)
# The first that fits counts: some are subclasses of others. PyJWT's own words may quote the token.
_REASONS: tuple[tuple[type[jwt.PyJWTError], Refusal, str], ...] = (
    (jwt.ExpiredSignatureError, Refusal.EXPIRED, "it has expired"),
    (jwt.ImmatureSignatureError, Refusal.NOT_YET, "it is not valid yet; compare the clocks"),
    (jwt.InvalidAudienceError, Refusal.AUDIENCE, "it is meant for another audience"),
    (jwt.InvalidIssuerError, Refusal.ISSUER, "another issuer stands in it"),
    (jwt.MissingRequiredClaimError, Refusal.CLAIM, f"it lacks one of {', '.join(_REQUIRED)}"),
    (jwt.InvalidAlgorithmError, Refusal.ALGORITHM, "its key is for another algorithm"),
    (jwt.InvalidKeyError, Refusal.KEY, "its key is too weak"),
    (jwt.InvalidSignatureError, Refusal.SIGNATURE, "its signature is not that of the issuer"),
    (jwt.DecodeError, Refusal.MALFORMED, "it is no signed JWT"),
)


class Verifier:
    """Judges the tokens of one issuer.

    Raises:
        IdentityError: The issuer, given by a reference, is no URL that an issuer can have.
        SecretUnavailableError: The reference points to nothing.
    """

    def __init__(self, config: OidcConfig) -> None:
        self.issuer = _issuer(config)
        self.store = KeyStore(self.issuer, config)
        self._config = config
        self._types = {_kind(one) for one in config.token_types}

    def verify(self, text: str) -> Principal:
        """See `OidcPlugin.verify`."""
        deadline = time.monotonic() + self._config.timeout_s
        kid, algorithm = self._header(text)
        keys = self.store.current(deadline)
        fitting = list(keys.fitting(kid, algorithm))
        if not fitting:
            fitting = list(self.store.newer(keys, deadline).fitting(kid, algorithm))
        if not fitting:
            raise self._refused(Refusal.KEY, "the issuer publishes no key that could have signed it")
        found = self._claims(text, fitting, algorithm)
        self._check(found)
        return self._principal(found)

    def _header(self, text: str) -> tuple[str | None, str]:
        """The key's id and the algorithm that the token names, before anything in it can be believed."""
        if len(text) > self._config.max_token_bytes:
            raise self._refused(Refusal.TOO_LARGE, f"it is longer than {self._config.max_token_bytes} bytes")
        try:
            header = jwt.get_unverified_header(text)
        except (jwt.PyJWTError, *_ODD_INPUT):
            raise self._refused(Refusal.MALFORMED, "it is no signed JWT") from None
        algorithm = header.get("alg")
        if algorithm not in self._config.algorithms:
            accepted = ", ".join(self._config.algorithms)
            raise self._refused(Refusal.ALGORITHM, f"its algorithm is none of {accepted}")
        self._check_type(header.get("typ"))
        return header.get("kid"), algorithm

    def _check_type(self, kind: object) -> None:
        if kind is None and not self._config.require_type:
            return
        if not isinstance(kind, str) or _kind(kind) not in self._types:
            raise self._refused(Refusal.TYPE, f"its type is none of {', '.join(self._config.token_types)}")

    def _claims(self, text: str, keys: Iterable[jwt.PyJWK], algorithm: str) -> dict[str, Any]:
        """The claims, once a key fits the signature and the registered claims hold."""
        wrong: TokenRefusedError | None = None
        for key in keys:
            try:
                return jwt.decode(
                    text,
                    key,
                    algorithms=[algorithm],
                    audience=list(self._config.audience),
                    issuer=self.issuer,
                    leeway=self._config.leeway_s,
                    options={"require": list(_REQUIRED), "enforce_minimum_key_length": True},
                )
            except jwt.PyJWTError as error:
                wrong = self._translated(error)
                if wrong.reason not in {Refusal.SIGNATURE, Refusal.KEY}:
                    break
            except _ODD_INPUT:
                wrong = self._refused(Refusal.MALFORMED, "its claims cannot be read")
                break
        # Raised out here: the errors of the library quote the token, and would be chained to this one.
        raise wrong or self._refused(Refusal.KEY, "there is no key for it")

    def _check(self, found: dict[str, Any]) -> None:
        """What is asked beyond the registered claims."""
        config = self._config
        if not all(isinstance(found.get(name, 0), int | float) for name in _MOMENTS):
            raise self._refused(Refusal.CLAIM, f"one of {', '.join(_MOMENTS)} is no number")
        if config.max_age_s is not None and time.time() - found["iat"] > config.max_age_s + config.leeway_s:
            raise self._refused(Refusal.TOO_OLD, f"it was issued more than {config.max_age_s:g} s ago")
        party = found.get("azp", found.get("client_id"))
        if config.authorized_parties and party not in config.authorized_parties:
            raise self._refused(Refusal.CLIENT, "it was issued to another client")
        for path in config.required_claims:
            if claims.at(found, path) in (None, "", [], {}):
                raise self._refused(Refusal.CLAIM, f"it lacks the claim {path}")

    def _principal(self, found: dict[str, Any]) -> Principal:
        try:
            expires_at = datetime.fromtimestamp(int(found["exp"]), UTC)
            roles = claims.roles(found, self._config.roles_claim)
        except claims.UnreadableError:
            where = self._config.roles_claim
            raise self._refused(Refusal.CLAIM, f"the claim {where} is neither a text nor a list of texts") from None
        except (*_ODD_INPUT, OSError):
            raise self._refused(Refusal.CLAIM, "its end is no moment") from None
        if not found["sub"]:
            raise self._refused(Refusal.CLAIM, "its subject is empty")
        return Principal(found["sub"], self.issuer, roles, expires_at)

    def _translated(self, error: jwt.PyJWTError) -> TokenRefusedError:
        for kind, reason, why in _REASONS:
            if isinstance(error, kind):
                return self._refused(reason, why)
        return self._refused(Refusal.CLAIM, "one of its registered claims has a wrong form")

    def _refused(self, reason: Refusal, why: str) -> TokenRefusedError:
        return TokenRefusedError(reason, why=why, where=self.issuer)


def _issuer(config: OidcConfig) -> str:
    issuer = resolved(config.issuer)
    try:
        return check_issuer(issuer)
    except ValueError as error:
        where = str(config.issuer) if isinstance(config.issuer, SecretRef) else issuer
        raise IdentityError(
            "there is no issuer to ask", where=where, why=str(error), remedy="correct what the reference points to"
        ) from None


def _kind(text: str) -> str:
    """A media type as a header's `typ` shortens it (RFC 7515, 4.1.9), in lower case."""
    return text.lower().removeprefix("application/")

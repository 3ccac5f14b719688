"""An issuer's published keys: where they are, which of them count, and which fit a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.plugins.identity import IdentityError
from jwt import PyJWK, PyJWTError

from floe_identity_oidc.fetching import get_json
from floe_identity_oidc.urls import WELL_KNOWN, check_keys_url

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_KEYS = 100
_PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y"})
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True)
class KeySet:
    """The public keys of an issuer, as JWKs.

    Attributes:
        fetched_at: The `time.monotonic()` moment at which they were asked for.
        members: The keys.
    """

    fetched_at: float
    members: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.members)

    def fitting(self, kid: str | None, algorithm: str) -> Iterator[PyJWK]:
        """The keys that may have signed a token with this header.

        Several, where keys share an id (RFC 7517 allows it) or the token names none; each is bound to `algorithm`,
        so that none can be used for another.
        """
        for member in self.members:
            if (kid is None or member.get("kid") == kid) and _signs(member, algorithm):
                key = _usable(member, algorithm)
                if key is not None:
                    yield key


def fetch(issuer: str, asked_at: float, deadline: float) -> KeySet:
    """The keys that `issuer` publishes now.

    Args:
        issuer: Its URL, exactly as it names itself.
        asked_at: The `time.monotonic()` moment of the question.
        deadline: The moment after which nothing is waited for.

    Raises:
        IdentityError: They cannot be had; the subclasses tell silence from a wrong answer.
    """
    place = issuer.rstrip("/") + WELL_KNOWN
    document = get_json(place, deadline)
    named = document.get("issuer")
    if named != issuer:
        shown = named[:200] if isinstance(named, str) else "none"
        raise _odd(place, f"it names itself {shown!r}, which is not equal to {issuer!r}")
    try:
        source = check_keys_url(str(document.get("jwks_uri") or ""), issuer)
    except ValueError as error:
        raise _odd(place, f"jwks_uri: {error}") from None
    members = get_json(source, deadline).get("keys")
    if not isinstance(members, list):
        raise _odd(source, "the document has no list `keys`")
    good = tuple(member for member in members[:MAX_KEYS] if isinstance(member, dict) and _is_asymmetric(member))
    if not good:
        raise _odd(source, "there is no key that verifies signatures")
    return KeySet(asked_at, good)


def _odd(where: str, why: str) -> IdentityError:
    return IdentityError(
        "the issuer does not answer as an issuer does",
        where=where,
        why=why,
        remedy="check `issuer`: it is equal, slash for slash, to the URL by which the issuer names itself",
    )


def _is_asymmetric(member: dict[str, Any]) -> bool:
    return str(member.get("kty")) in {"RSA", "EC", "OKP"}  # a list there has no hash


def _signs(member: dict[str, Any], algorithm: str) -> bool:
    """Whether the key is meant for signatures of that algorithm."""
    operations = member.get("key_ops")
    return (
        member.get("kty") == _KINDS[algorithm[:2]]
        and member.get("alg", algorithm) == algorithm
        and member.get("use", "sig") == "sig"
        and (not isinstance(operations, list) or "verify" in operations)
    )


def _usable(member: dict[str, Any], algorithm: str) -> PyJWK | None:
    """The key itself; None where its numbers make none. A private part that was published by mistake is left out."""
    try:
        return PyJWK({name: value for name, value in member.items() if name in _PUBLIC}, algorithm)
    except (PyJWTError, ValueError, TypeError, AttributeError, OverflowError):
        return None

"""What every handler works on: the state, the tokens, the object store, the rules of the realm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polaris_standin.access import caller_of
from polaris_standin.errors import ApiError, UnauthorizedError
from polaris_standin.oauth import principal_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polaris_standin.access import Caller
    from polaris_standin.iceberg.storage import Storage
    from polaris_standin.store import Store
    from polaris_standin.tokens import Tokens


@dataclass(frozen=True)
class Service:
    """One realm. `requires_realm`: requests must name it in `Polaris-Realm`; else they may."""

    store: Store
    tokens: Tokens
    storage: Storage
    realm: str
    requires_realm: bool = False

    def check_realm(self, headers: Mapping[str, str]) -> None:
        """Refuse another realm than ours; the comparison is exact.

        Raises:
            ApiError: 404.
        """
        realm = headers.get("polaris-realm")
        if realm is None and not self.requires_realm:
            return
        if realm != self.realm:
            raise ApiError(404, "MissingOrInvalidRealm", "Missing or invalid realm")

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """The caller of a bearer token.

        Raises:
            UnauthorizedError: No token, or none that is live, ours and of a principal that exists.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        found = principal_of(self.store, self.tokens, token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise UnauthorizedError
        principal, scope = found
        return caller_of(self.store, principal, scope)

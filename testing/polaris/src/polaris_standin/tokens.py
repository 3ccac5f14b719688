"""Access tokens: JWTs signed with a key that lives as long as the process.

Polaris makes its RSA keys at start-up unless they are configured, so a restart invalidates all tokens; the
claims are those of a recorded token.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

_KEY_BITS = 2048
_ALGORITHM = "RS256"


class Tokens:
    """Issues and reads tokens.

    Args:
        lifetime: Life of a token in seconds.
    """

    def __init__(self, lifetime: int) -> None:
        self.lifetime = lifetime
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)

    def issue(self, *, name: str, client_id: str, principal_id: int, scope: str) -> str:
        """A signed token for a principal."""
        now = int(time.time())
        claims = {
            "iss": "polaris",
            "sub": name,
            "iat": now,
            "exp": now + self.lifetime,
            "jti": str(uuid.uuid4()),
            "active": True,
            "client_id": client_id,
            "principalId": principal_id,
            "scope": scope,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a live token that this process signed; None for any other."""
        try:
            return jwt.decode(token, self._key.public_key(), algorithms=[_ALGORITHM])
        except jwt.InvalidTokenError:
            return None

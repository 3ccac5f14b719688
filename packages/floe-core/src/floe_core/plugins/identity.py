"""Identity: says who a token belongs to."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import CredentialsRefusedError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import SecretStr


class TokenRefusedError(CredentialsRefusedError):
    """The token is expired, badly signed or meant for someone else; the reason is told, the token is not."""


@dataclass(frozen=True)
class Principal:
    """Who a token belongs to.

    Attributes:
        subject: The issuer's id of the principal.
        issuer: Who vouches for it.
        roles: Role names that the token carries.
        expires_at: When the token ends, in UTC.
    """

    subject: str
    issuer: str
    roles: frozenset[str]
    expires_at: datetime


class IdentityPlugin(PluginMetadata[C]):
    """An issuer of identities."""

    plugin_type: ClassVar[PluginType] = PluginType.IDENTITY

    @abstractmethod
    def verify(self, token: SecretStr) -> Principal:
        """Who `token` belongs to.

        Raises:
            TokenRefusedError: It proves nothing.
        """

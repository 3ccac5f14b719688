"""Identity: says who a token belongs to."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import CredentialsRefusedError, ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import SecretStr


class IdentityError(FloeError):
    """The issuer answers, but not as an issuer does; nothing is said about the token."""

    exit_code = ExitCode.WRONG


class IdentityUnavailableError(IdentityError):
    """The issuer cannot be asked, so nothing is known about the token."""

    exit_code = ExitCode.MISSING


class IdentityTimeoutError(IdentityError):
    """The issuer did not answer in time, so nothing is known about the token."""

    exit_code = ExitCode.TIMEOUT


class Refusal(StrEnum):
    """Why a token proves nothing."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TYPE = "type"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    TOO_OLD = "too_old"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    CLIENT = "client"
    CLAIM = "claim"


class TokenRefusedError(CredentialsRefusedError):
    """The token is expired, badly signed or meant for someone else; the reason is told, the token is not.

    Args:
        reason: Why, for programs.
        why: Why, for people; no part of the token.
        where: The issuer that was to vouch for it.
    """

    def __init__(self, reason: Refusal, *, why: str, where: str = "") -> None:
        super().__init__(
            "the token is refused", where=where, why=why, remedy="sign in again, or ask for a token for this platform"
        )
        self.reason = reason


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
        """Who `token` belongs to; safe to call from several threads, and bounded in time.

        Raises:
            TokenRefusedError: It proves nothing.
            IdentityUnavailableError: The issuer is needed to judge it, and cannot be asked.
            IdentityTimeoutError: The issuer is needed to judge it, and does not answer in time.
            IdentityError: The issuer answers, but not as an issuer does.
        """

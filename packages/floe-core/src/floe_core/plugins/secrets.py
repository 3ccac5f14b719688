"""Secrets: looks values up by name, late, in the process that needs them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from pydantic import SecretStr


class SecretsError(FloeError):
    """The store of secrets cannot be asked."""

    exit_code = ExitCode.MISSING


class SecretNotFoundError(SecretsError):
    """The store has no secret of that name; `why` says where it was looked for."""


class SecretNameError(SecretsError):
    """No secret of this store can have that name."""

    exit_code = ExitCode.USAGE


class SecretRefusedError(SecretsError):
    """There is a secret of that name, and it must not be used as it is: too large, no text, open to others."""

    exit_code = ExitCode.WRONG


class SecretsPlugin(PluginMetadata[C]):
    """A store of secrets; keeps no value, so that a rotated secret is seen at the next call."""

    plugin_type: ClassVar[PluginType] = PluginType.SECRETS

    @abstractmethod
    def get(self, name: str) -> SecretStr:
        """The value of `name` now, wrapped so that it does not print; never empty.

        Safe to call from several threads.

        Raises:
            SecretNotFoundError: There is none.
            SecretNameError: There can be none of that name.
            SecretRefusedError: There is one, and it must not be used as it is.
            SecretsError: The store does not answer.
        """

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names that `get` knows and the store can list, sorted, without reading a value.

        Raises:
            SecretsError: The store does not answer.
        """

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
    """The store has no secret of that name."""


class SecretsPlugin(PluginMetadata[C]):
    """A store of secrets."""

    plugin_type: ClassVar[PluginType] = PluginType.SECRETS

    @abstractmethod
    def get(self, name: str) -> SecretStr:
        """The value of `name`, wrapped so that it does not print.

        Raises:
            SecretNotFoundError: There is none.
            SecretsError: The store does not answer.
        """

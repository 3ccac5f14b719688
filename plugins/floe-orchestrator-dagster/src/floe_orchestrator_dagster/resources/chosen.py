"""A plugin of the platform as Dagster's configuration names it: by its name, with secrets by reference only.

Dagster shows the configuration of resources in its UI and keeps it in its event log. What stands here is what the
manifest says: `{env: NAME}`, `{file: PATH}` or `{secret: NAME}`; a plugin refuses a secret that is written down.
"""

from typing import Any, cast

from dagster import Config
from floe_core.plugins import PluginType, SecretsPlugin
from floe_core.plugins.interface import PluginMetadata
from floe_core.registry import Registry
from floe_core.spec.literals import is_secret_name
from floe_core.spec.secrets import SecretStore
from pydantic import Field, field_validator


class Chosen(Config):
    """One plugin.

    Attributes:
        plugin: Its name, as manifests choose it.
        config: Its configuration, secrets as references.
    """

    plugin: str
    config: dict[str, Any | None] = Field(default_factory=dict)

    @field_validator("config")
    @classmethod
    def _no_secret(cls, config: dict[str, Any]) -> dict[str, Any]:
        if (found := _literal(config)) is not None:
            raise ValueError(f"{found} is written down, where a reference belongs: {{env: NAME}}")
        return config

    def create(self, kind: PluginType, secrets: SecretStore | None = None) -> PluginMetadata[Any]:
        """A new instance; the caller starts and stops it where it holds something open.

        Args:
            kind: Its type.
            secrets: Where references `{secret: NAME}` are looked up.

        Raises:
            RegistryError: It is not installed, is broken, or refuses the configuration.
        """
        return Registry().create(kind, self.plugin, self.config, secrets=secrets).instance


def secrets_plugin(chosen: Chosen | None) -> SecretsPlugin[Any] | None:
    """The platform's secrets plugin; None where it has none."""
    return cast("SecretsPlugin[Any]", chosen.create(PluginType.SECRETS)) if chosen is not None else None


def secret_store(chosen: Chosen | None) -> SecretStore | None:
    """Where references `{secret: NAME}` are looked up; None where the platform has no secrets plugin."""
    plugin = secrets_plugin(chosen)
    return plugin.get if plugin is not None else None


def _literal(value: object) -> str | None:
    """The name of a setting that holds a secret itself; None where there is none."""
    if not isinstance(value, dict):
        return None
    for name, below in value.items():
        if is_secret_name(str(name)) and isinstance(below, str) and below:
            return str(name)
        if (found := _literal(below)) is not None:
            return found
    return None

"""The secrets plugin `env`: the environment of this process, and folders of files such as Kubernetes mounts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, ClassVar

from floe_core.plugins import (
    HealthState,
    HealthStatus,
    PluginConfig,
    SecretNameError,
    SecretNotFoundError,
    SecretsError,
    SecretsPlugin,
)
from floe_core.telemetry import span
from pydantic import Field, SecretStr, StrictBool, field_validator

if TYPE_CHECKING:
    from floe_secrets_env.source import Source


class Place(StrEnum):
    """The kinds of places."""

    ENVIRONMENT = "environment"
    FILES = "files"


class EnvSecretsConfig(PluginConfig):
    """Where secrets are looked up.

    Attributes:
        prefix: What the names of variables begin with; with none, variables are found and not listed.
        directories: Folders with a file a secret, absolute; a Kubernetes Secret's mount, `/run/secrets`.
        order: The places, the first one that has the secret wins.
        max_bytes: The size from which on a value is taken for something else; Kubernetes keeps 1 MiB at most.
        allow_world_readable: Take files that every user of the machine can read also outside of a Kubernetes mount.
    """

    prefix: Annotated[str, Field(max_length=64, pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", examples=["FLOE_SECRET_"])] = ""
    directories: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...],
        Field(max_length=16, examples=[["/run/secrets"]]),
    ] = ()
    order: Annotated[tuple[Place, ...], Field(min_length=1)] = (Place.ENVIRONMENT, Place.FILES)
    max_bytes: Annotated[int, Field(ge=1, le=1024 * 1024, strict=True)] = 64 * 1024
    allow_world_readable: StrictBool = False

    @field_validator("directories")
    @classmethod
    def _absolute(cls, directories: tuple[str, ...]) -> tuple[str, ...]:
        for folder in directories:
            if not PurePath(folder).is_absolute() or "\0" in folder or ".." in PurePath(folder).parts:
                raise ValueError("a folder is an absolute path without ..")
        return directories

    @field_validator("order")
    @classmethod
    def _once(cls, order: tuple[Place, ...]) -> tuple[Place, ...]:
        if len(set(order)) != len(order):
            raise ValueError("each place is named once")
        return order


class EnvSecretsPlugin(SecretsPlugin[EnvSecretsConfig]):
    """Reads at every call, keeps nothing: a rotated secret is seen at once."""

    name: ClassVar[str] = "env"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.secrets.env"
    description: ClassVar[str] = "the environment and mounted files"
    config_model: ClassVar[type[PluginConfig]] = EnvSecretsConfig

    def __init__(self, config: EnvSecretsConfig) -> None:
        from floe_secrets_env.environment import Environment
        from floe_secrets_env.files import Files, Rules

        super().__init__(config)
        rules = Rules(config.max_bytes, config.allow_world_readable)
        self._folders = [Files(folder, rules) for folder in config.directories]
        places: dict[Place, list[Source]] = {
            Place.ENVIRONMENT: [Environment(config.prefix, config.max_bytes)],
            Place.FILES: [*self._folders],
        }
        self._sources = [source for place in config.order for source in places[place]]

    def get(self, name: str) -> SecretStr:
        """The value of `name` in the first place that has it; a value that must not be used ends the search.

        Raises:
            SecretNotFoundError: No place has it; says where it was looked for.
            SecretNameError: A name with `..`, a leading dot or other characters than a reference may hold.
            SecretRefusedError: Too large, empty, no UTF-8 text, not a file inside of its folder, or open to others.
            SecretsError: A folder cannot be read.
        """
        from floe_secrets_env import names

        if not names.is_valid(name):
            raise SecretNameError(
                f"{names.shown(name)} cannot be the name of a secret",
                where="plugins.secrets",
                why="letters, digits and . _ - /, and no part that begins with a dot",
                remedy="correct the reference {secret: NAME}",
            )
        with span("secrets.get", **{"floe.secret.name": name}):
            for source in self._sources:
                value = source.value(name)
                if value is not None:
                    return SecretStr(value)
        raise SecretNotFoundError(
            f"there is no secret {name}",
            where="plugins.secrets",
            why="; ".join(source.missing(name) for source in self._sources) or "no folder is configured to look in",
            remedy="set the variable or mount the file, or correct the reference {secret: NAME}",
        )

    def names(self) -> tuple[str, ...]:
        """What can be listed, sorted: the files, and the variables where a prefix tells which are secrets.

        Raises:
            SecretsError: A folder cannot be read.
        """
        with span("secrets.names"):
            return tuple(sorted(set().union(*(source.names() for source in self._sources))))

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Whether the folders are there and can be read; reads no value."""
        del timeout_s  # nothing here waits
        gone = [folder.path for folder in self._folders if not folder.is_there()]
        if gone:
            return HealthStatus(HealthState.UNHEALTHY, f"not there: {', '.join(gone)}")
        try:
            found = len(self.names())
        except SecretsError as error:
            return HealthStatus(HealthState.UNHEALTHY, f"{error.what}: {error.why}")
        return HealthStatus(HealthState.HEALTHY, f"{found} names can be listed", {"names": str(found)})

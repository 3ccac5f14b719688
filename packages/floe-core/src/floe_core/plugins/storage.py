"""Storage: the object store that tables and files lie in."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType


class StorageError(FloeError):
    """The store is there but does not do what was asked."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class StorageAddress:
    """Where an object store is, as text of a dbt profile: what is a reference appears as dbt's `env_var`.

    Attributes:
        endpoint: URL of the service; empty for the provider's own.
        region: The region.
        access_key: The key's id; empty where the provider's own chain of credentials is asked.
        secret_key: Its secret, always a reference; empty together with the id.
        path_style: Whether the bucket is a part of the path.
    """

    endpoint: str
    region: str
    access_key: str = ""
    secret_key: str = ""
    path_style: bool = True


class StoragePlugin(PluginMetadata[C]):
    """An object store."""

    plugin_type: ClassVar[PluginType] = PluginType.STORAGE

    @abstractmethod
    def fileio_properties(self) -> dict[str, str]:
        """PyIceberg FileIO properties (`s3.endpoint`, …) with the secrets resolved; for memory only.

        Raises:
            SecretUnavailableError: A reference points to nothing.
        """

    @abstractmethod
    def warehouse_uri(self, namespace: str = "") -> str:
        """Where tables of `namespace` lie, for example `s3://floe-iceberg/sales`; no trailing slash."""

    @abstractmethod
    def address(self) -> StorageAddress:
        """Where the store is, for the profile of an engine that reaches it by itself; resolves no reference."""

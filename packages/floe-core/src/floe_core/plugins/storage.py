"""Storage: the object store that tables and files lie in."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType


class StorageError(FloeError):
    """The store is there but does not do what was asked."""

    exit_code = ExitCode.WRONG


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

"""Storage: the object store that tables and files lie in."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from floe_core.spec.secrets import SecretRef, Setting


class StorageError(FloeError):
    """The store is there but does not do what was asked."""

    exit_code = ExitCode.WRONG


class BucketMissingError(StorageError):
    """The bucket does not exist (a signed request said so)."""


@dataclass(frozen=True)
class ObjectStore:
    """How an engine reaches the store, without any secret value.

    Attributes:
        uri: Root of the warehouse, for example `s3://floe-iceberg`.
        endpoint: URL of the service; empty for the provider's own. A reference stays one, so that
            artifacts are equal on every machine.
        region: The region's name.
        path_style: Whether the bucket is a part of the path instead of the host name.
        access_key: Where the key id lies; None leaves it to the client's own chain.
        secret_key: Where the secret lies; None leaves it to the client's own chain.
    """

    uri: str
    endpoint: Setting
    region: Setting
    path_style: bool
    access_key: SecretRef | None
    secret_key: SecretRef | None


class StoragePlugin(PluginMetadata[C]):
    """An object store."""

    plugin_type: ClassVar[PluginType] = PluginType.STORAGE

    @abstractmethod
    def object_store(self) -> ObjectStore:
        """How an engine reaches the store; what compute plugins make their dbt settings of."""

    @abstractmethod
    def fileio_properties(self) -> dict[str, str]:
        """PyIceberg FileIO properties (`s3.endpoint`, …) with the secrets resolved; for memory only.

        Raises:
            SecretUnavailableError: A reference points to nothing.
        """

    @abstractmethod
    def warehouse_uri(self, namespace: str = "") -> str:
        """Where tables of `namespace` lie, for example `s3://floe-iceberg/sales`; no trailing slash."""

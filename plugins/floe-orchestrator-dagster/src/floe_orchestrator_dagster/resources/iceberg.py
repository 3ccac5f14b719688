"""The platform's Iceberg catalog for Dagster, opened by the platform's catalog and storage plugins."""

from typing import Any, cast

from dagster import ConfigurableResource
from floe_core.plugins import CatalogPlugin, IcebergCatalog, PluginType, StoragePlugin
from floe_core.plugins.orchestrator import OrchestratorError
from pydantic import PrivateAttr

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen, secret_store


class IcebergResource(ConfigurableResource[None]):
    """Opens the catalog, once a process.

    Attributes:
        catalog_plugin: Which catalog plugin, and how it is configured.
        storage_plugin: Which storage plugin, for a catalog that hands out no credentials.
        secrets_plugin: Where references `{secret: NAME}` are looked up.
    """

    catalog_plugin: Chosen
    storage_plugin: Chosen | None = None
    secrets_plugin: Chosen | None = None

    _opened: IcebergCatalog = PrivateAttr(default=None)

    @classmethod
    def of(cls, product: Product) -> "IcebergResource":
        """The resource for the platform of `product`.

        Raises:
            OrchestratorError: The platform has no catalog.
        """
        catalog = product.chosen(PluginType.CATALOG)
        if catalog is None:
            raise OrchestratorError(
                f"the platform of product {product.name} has no catalog",
                where="plugins.catalog of the manifest",
                why="nothing is chosen there",
                remedy="choose a catalog, or run the product in the lane duckdb",
            )
        return cls(
            catalog_plugin=catalog,
            storage_plugin=product.chosen(PluginType.STORAGE),
            secrets_plugin=product.chosen(PluginType.SECRETS),
        )

    def catalog(self) -> IcebergCatalog:
        """The PyIceberg catalog, signed in; secrets are resolved now and stay in memory.

        Raises:
            RegistryError: A plugin is not installed, or refuses its configuration.
            SecretUnavailableError: A reference points to nothing.
            CatalogUnavailableError: Nothing answers.
            CatalogAuthenticationError: The credentials were refused.
        """
        if self._opened is None:
            store = secret_store(self.secrets_plugin)
            plugin = cast("CatalogPlugin[Any]", self.catalog_plugin.create(PluginType.CATALOG, store))
            fileio: dict[str, str] | None = None
            if self.storage_plugin is not None:
                storage = cast("StoragePlugin[Any]", self.storage_plugin.create(PluginType.STORAGE, store))
                fileio = storage.fileio_properties()
            self._opened = plugin.connect(fileio)
        return self._opened

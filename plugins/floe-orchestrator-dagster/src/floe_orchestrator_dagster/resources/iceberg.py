"""The platform's Iceberg catalog for Dagster, opened by the platform's catalog and storage plugins."""

from typing import Any, cast

from dagster import Config, ConfigurableResource
from floe_core.plugins import CatalogPlugin, IcebergCatalog, PluginType, StoragePlugin
from floe_core.plugins.orchestrator import OrchestratorError
from pydantic import PrivateAttr

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen, secret_store


class IcebergAccess(Config):
    """How the catalog is opened.

    Attributes:
        catalog_plugin: Which catalog plugin, and how it is configured.
        storage_plugin: Which storage plugin, for a catalog that hands out no credentials.
        secrets_plugin: Where references `{secret: NAME}` are looked up.
    """

    catalog_plugin: Chosen
    storage_plugin: Chosen | None = None
    secrets_plugin: Chosen | None = None

    @classmethod
    def of(cls, product: Product) -> "IcebergAccess":
        """What the platform of `product` has chosen.

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

    def open(self) -> IcebergCatalog:
        """The PyIceberg catalog, signed in; secrets are resolved now and stay in memory.

        Raises:
            RegistryError: A plugin is not installed, or refuses its configuration.
            SecretUnavailableError: A reference points to nothing.
            CatalogUnavailableError: Nothing answers.
            CatalogAuthenticationError: The credentials were refused.
        """
        store = secret_store(self.secrets_plugin)
        plugin = cast("CatalogPlugin[Any]", self.catalog_plugin.create(PluginType.CATALOG, store))
        if self.storage_plugin is None:
            return plugin.connect(None)
        storage = cast("StoragePlugin[Any]", self.storage_plugin.create(PluginType.STORAGE, store))
        return plugin.connect(storage.fileio_properties())


class IcebergResource(ConfigurableResource[None]):
    """Opens the catalog, once a step.

    Attributes:
        access: How it is opened.
    """

    access: IcebergAccess

    _opened: IcebergCatalog = PrivateAttr(default=None)

    def catalog(self) -> IcebergCatalog:
        """The PyIceberg catalog, signed in; raises as `IcebergAccess.open`."""
        if self._opened is None:
            self._opened = self.access.open()
        return self._opened

"""The platform's ingestion plugin for Dagster."""

from pathlib import Path
from typing import Any, cast

from dagster import ConfigurableResource
from floe_core.errors import FloeError
from floe_core.plugins import (
    ArrowRows,
    ComputePlugin,
    IngestionError,
    IngestionPlugin,
    IngestionRequest,
    IngestionResult,
    PluginType,
)
from floe_core.spec.product import SourceSpec
from floe_core.spec.secrets import STORE_KEY
from floe_core.telemetry import span

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen, secret_store


class IngestionResource(ConfigurableResource[None]):
    """Loads the sources of one product into its lane's database file.

    Attributes:
        plugin: Which ingestion plugin, and how it is configured.
        secrets_plugin: Where the sources' references `{secret: NAME}` are looked up.
        slug: The product, as pipelines are named after it.
        base_dir: The product's folder, which relative paths of a source start from.
        work_dir: Where the loader keeps what it needs while it works.
        database: The database file that dbt builds in.
        compute: The engine that the file belongs to; None where the platform chooses none.
    """

    plugin: Chosen
    secrets_plugin: Chosen | None = None
    slug: str
    base_dir: str
    work_dir: str
    database: str
    compute: Chosen | None = None

    @classmethod
    def of(cls, product: Product, plugin: Chosen) -> "IngestionResource":
        """The resource for `product`, whose platform has chosen `plugin`."""
        return cls(
            plugin=plugin,
            secrets_plugin=product.chosen(PluginType.SECRETS),
            slug=product.slug,
            base_dir=str(product.folder),
            work_dir=str(product.state / "ingestion"),
            database=str(product.database),
            compute=product.chosen(PluginType.COMPUTE),
        )

    def load(self, source: SourceSpec) -> IngestionResult:
        """Load one source to its end; a load that was killed is made good by the next one.

        Raises:
            IngestionError: The load failed, or the source's settings are wrong; no secret is quoted.
            SecretUnavailableError: A reference points to nothing.
        """
        store = secret_store(self.secrets_plugin)
        plugin = cast("IngestionPlugin[Any]", self.plugin.create(PluginType.INGESTION, store))
        request = IngestionRequest(
            pipeline=f"{self.slug}_{source.name}",
            source=plugin.source_model.model_validate(source.config, context={STORE_KEY: store}),
            dataset=source.dataset,
            work_dir=Path(self.work_dir),
            base_dir=Path(self.base_dir),
            database=Path(self.database),
        )
        with span(f"ingest {source.name}", **{"floe.source.name": source.name, "floe.source.dataset": source.dataset}):
            try:
                return plugin.load(request)
            except FloeError:
                raise
            except Exception as error:  # a plugin is foreign code and can raise anything; its words may quote a secret
                raise IngestionError(
                    f"the source {source.name} could not be loaded",
                    why=f"the plugin {plugin.name} raised {type(error).__name__}",
                    remedy="report it to the plugin's authors",
                ) from error

    def landed(self, dataset: str, table: str) -> ArrowRows | None:
        """The rows of a table in the database file, as a stream; None where there is no such table.

        Raises:
            ComputeError: The file cannot be read.
        """
        if self.compute is None:
            return None
        compute = cast("ComputePlugin[Any]", self.compute.create(PluginType.COMPUTE))
        return compute.landed(Path(self.database), dataset, table)


def tables_of(chosen: Chosen, source: SourceSpec) -> tuple[str, ...]:
    """Names of the tables that a source fills; the source's own name for a plugin that cannot tell before it loads.

    Raises:
        RegistryError: As `Chosen.create`.
    """
    plugin = cast("IngestionPlugin[Any]", chosen.create(PluginType.INGESTION))
    return plugin.tables(plugin.source_model.model_validate(source.config)) or (source.name,)

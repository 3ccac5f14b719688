"""The platform's semantic layer for Dagster."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dagster import ConfigurableResource
from floe_core.errors import FloeError
from floe_core.plugins import PluginType, SemanticLayerError, SemanticLayerPlugin, SemanticRequest, SemanticResult
from floe_core.telemetry import span
from pydantic import Field

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen, secret_store


class SemanticResource(ConfigurableResource[None]):
    """Writes the files that a metrics server reads its data model from.

    Attributes:
        plugin: Which semantic layer, and how it is configured.
        secrets_plugin: Where references `{secret: NAME}` of its configuration are looked up.
        output_dir: Where the files go.
        output_ports: The models that the product offers to others.
        classifications: What floe.yaml says of their columns, by model and column.
    """

    plugin: Chosen
    secrets_plugin: Chosen | None = None
    output_dir: str
    output_ports: list[str] = Field(default_factory=list)
    classifications: dict[str, dict[str, str]] = Field(default_factory=dict)

    @classmethod
    def of(cls, product: Product, plugin: Chosen) -> "SemanticResource":
        """The resource for `product`, whose platform has chosen `plugin`."""
        ports = product.spec.output_ports
        said = {
            port.name: {one.name: one.classification.value for one in port.columns if one.classification}
            for port in ports
        }
        return cls(
            plugin=plugin,
            secrets_plugin=product.chosen(PluginType.SECRETS),
            output_dir=str(product.state / "semantic"),
            output_ports=[port.name for port in ports],
            classifications={name: columns for name, columns in said.items() if columns},
        )

    def generate(self, manifest: Mapping[str, Any]) -> SemanticResult:
        """Write the data model of a product that dbt has built; the same manifest gives the same bytes.

        Args:
            manifest: dbt's manifest.

        Raises:
            SemanticLayerError: A model cannot be expressed, or the plugin failed.
        """
        plugin = cast(
            "SemanticLayerPlugin[Any]",
            self.plugin.create(PluginType.SEMANTIC_LAYER, secret_store(self.secrets_plugin)),
        )
        request = SemanticRequest(
            dbt_manifest=manifest,
            output_dir=Path(self.output_dir),
            output_ports=frozenset(self.output_ports),
            classifications=self.classifications,
        )
        with span(f"semantic layer {plugin.name}"):
            try:
                return plugin.generate(request)
            except FloeError:
                raise
            except Exception as error:  # a plugin is foreign code and can raise anything; its words may quote a secret
                raise SemanticLayerError(
                    f"the semantic layer {plugin.name} wrote no files",
                    why=f"it raised {type(error).__name__}",
                    remedy="report it to the plugin's authors; the tables are built",
                ) from error

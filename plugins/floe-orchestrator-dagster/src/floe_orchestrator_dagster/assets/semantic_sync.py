"""The semantic layer's files as a Dagster asset: written anew after the marts, and checked to be whole."""

# No postponed annotations here: Dagster compares the annotation of `context` with its classes, and a string is none.
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    multi_asset,
)
from floe_core.plugins import SemanticResult

from floe_orchestrator_dagster.assets.specs import DbtSpecs
from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.tracing import Tracing

if TYPE_CHECKING:
    from floe_orchestrator_dagster.resources.semantic import SemanticResource

SEMANTIC: str = "semantic"
"""The product's resource that writes the files, and the asset's group."""
WHOLE: str = "files_are_whole"
"""The name of the check."""


def semantic_asset(product: Product, specs: DbtSpecs, plugin: Chosen, tracing: Tracing) -> AssetsDefinition:
    """The asset `<product>/semantic/<plugin>`, which depends on the output ports.

    The caller provides the resource of the semantic layer.

    Args:
        product: The product.
        specs: Its dbt assets.
        plugin: The platform's semantic layer.
        tracing: Where spans go.
    """
    resource = product.resource_named(SEMANTIC)
    key = AssetKey([product.slug, SEMANTIC, plugin.plugin])
    ports = [found for port in product.spec.output_ports if (found := specs.key_of(port.name)) is not None]

    model = "The data model that the metrics server reads."
    whole = AssetCheckSpec(WHOLE, asset=key, description="Every file is there, has content, and can be parsed.")

    @multi_asset(
        name=f"{product.slug}_semantic",
        specs=[AssetSpec(key, deps=ports, description=model, group_name=SEMANTIC, kinds={plugin.plugin, "yaml"})],
        check_specs=[whole],
        required_resource_keys={resource},
    )
    def sync(context: AssetExecutionContext) -> Iterator[Any]:
        layer: SemanticResource = getattr(context.resources, resource)
        with tracing.step(
            context, f"dagster step {product.slug}_semantic", **{"dagster.asset_key": key.to_user_string()}
        ):
            result = layer.generate(specs.manifest)
            for sentence in result.notes:
                context.log.warning("%s: %s", plugin.plugin, sentence)
            yield MaterializeResult(asset_key=key, metadata=_metadata(result, Path(layer.output_dir)))
            yield _whole(key, result)

    return sync


def _metadata(result: SemanticResult, folder: Path) -> dict[str, Any]:
    return {
        "dagster/uri": str(folder),
        "files": [str(file.relative_to(folder)) for file in result.files],
        "removed": [file.name for file in result.removed],
        "notes": list(result.notes),
    }


def _whole(key: AssetKey, result: SemanticResult) -> AssetCheckResult:
    """Whether the metrics server could read every file that the plugin says it has written."""
    broken = sorted(file.name for file in result.files if not _can_be_read(file))
    return AssetCheckResult(
        asset_key=key,
        check_name=WHOLE,
        passed=bool(result.files) and not broken,
        severity=AssetCheckSeverity.ERROR,
        metadata={"files": len(result.files), "broken": broken},
    )


def _can_be_read(file: Path) -> bool:
    """Whether the file has content, and is YAML where its name says so."""
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
        return bool(yaml.safe_load(text) if file.suffix in {".yml", ".yaml"} else text.strip())
    except (OSError, ValueError, yaml.YAMLError):
        return False

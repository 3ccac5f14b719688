"""The last step of a run: the platform's semantic layer gets the files that its server reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError
from floe_core.plugins import SemanticLayerError, SemanticRequest
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import SemanticLayerPlugin, SemanticResult
    from floe_core.running.places import Places


def describe(plugin: SemanticLayerPlugin[Any], artifacts: CompiledArtifacts, places: Places) -> SemanticResult:
    """Write the server's data model of a product that dbt has just built.

    Args:
        plugin: The semantic layer.
        artifacts: The compiled product: what it offers, and how careful one is with it.
        places: Where dbt's manifest is, and where the files go.

    Raises:
        SemanticLayerError: A model cannot be expressed, dbt's manifest cannot be read, or the plugin failed.
    """
    request = SemanticRequest(
        dbt_manifest=_manifest(places),
        output_dir=places.semantic,
        output_ports=frozenset(port.name for port in artifacts.output_ports),
        classifications=_classifications(artifacts),
    )
    with span(f"semantic layer {plugin.name}", **{"floe.product.name": artifacts.metadata.product_name}):
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


def _manifest(places: Places) -> Mapping[str, Any]:
    path = places.dbt / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise SemanticLayerError(
            "the semantic layer has nothing to be made of",
            where=str(path),
            why="dbt left no manifest that can be read",
            remedy="run it again; the tables are built",
        )
    return manifest


def _classifications(artifacts: CompiledArtifacts) -> dict[str, dict[str, str]]:
    """By output port and column, for the columns that are classified."""
    said = {
        port.name: {one.name: one.classification.value for one in port.columns if one.classification is not None}
        for port in artifacts.output_ports
    }
    return {name: columns for name, columns in said.items() if columns}

"""Semantic layer: turns dbt models into the files of a metrics server."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class SemanticLayerError(FloeError):
    """A model cannot be put into the server's terms; names the model."""

    exit_code = ExitCode.WRONG


class SemanticLayerPlugin(PluginMetadata[C]):
    """A metrics server."""

    plugin_type: ClassVar[PluginType] = PluginType.SEMANTIC_LAYER

    @abstractmethod
    def generate(self, dbt_manifest: Mapping[str, Any], output_dir: Path) -> tuple[Path, ...]:
        """Write the server's files for a dbt `manifest.json` into `output_dir`; the paths written, sorted.

        Raises:
            SemanticLayerError: A model cannot be expressed.
        """

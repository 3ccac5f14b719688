"""Semantic layer: turns dbt models into the files of a metrics server."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from floe_core.plugins.compute import TargetRequest
    from floe_core.spec.secrets import SecretRef


class SemanticLayerError(FloeError):
    """A model cannot be put into the server's terms; names the model and the file that it is written in."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class SemanticRequest:
    """What the server's files are made from, and where they go.

    Attributes:
        dbt_manifest: dbt's `manifest.json`, schema v12.
        output_dir: The folder that the server reads its data model from; made when it is missing.
        output_ports: Names of the models that the product offers to others.
        classifications: What the product says of its columns, by model and column, for example `pii`.
    """

    dbt_manifest: Mapping[str, Any]
    output_dir: Path
    output_ports: frozenset[str] = frozenset()
    classifications: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class SemanticResult:
    """What one generation left behind.

    Attributes:
        files: Every file of the data model that this plugin keeps, sorted.
        removed: Files of an earlier generation that nothing asks for any more, sorted.
        notes: What of the models could not be told to the server, and why; a sentence each.
    """

    files: tuple[Path, ...]
    removed: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


class SemanticLayerPlugin(PluginMetadata[C]):
    """A metrics server."""

    plugin_type: ClassVar[PluginType] = PluginType.SEMANTIC_LAYER

    @abstractmethod
    def generate(self, request: SemanticRequest) -> SemanticResult:
        """Write the server's data model; the same request gives the same bytes.

        Nothing is written unless all of it can be. Files that this plugin did not write are neither changed
        nor removed.

        Raises:
            SemanticLayerError: A model cannot be expressed, the manifest is none, or a file is in the way.
        """

    @abstractmethod
    def datasource(self, request: TargetRequest) -> Mapping[str, str | SecretRef]:
        """Environment variables that lead the server to the tables of a lane; secrets stay references.

        Raises:
            SemanticLayerError: The server cannot read that lane as it is configured.
        """

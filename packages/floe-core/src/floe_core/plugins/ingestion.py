"""Ingestion: brings rows from a source into the warehouse."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel


class IngestionError(FloeError):
    """A load failed; names pipeline and source, and keeps the engine's reason without any secret."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class IngestionRequest:
    """One load.

    Attributes:
        pipeline: The pipeline's name, under which the engine keeps its state: one of a product and a source.
        source: An instance of the plugin's `source_model`, or what it validates; secrets by reference.
        dataset: The schema or folder that tables go to.
        work_dir: A folder for what the engine keeps while it works; made when it is missing, and losing it loses
            nothing.
        base_dir: The product's folder, which relative paths of the source start from.
        database: The database file of the build, for a destination that is one.
    """

    pipeline: str
    source: BaseModel | Mapping[str, Any]
    dataset: str
    work_dir: Path
    base_dir: Path
    database: Path | None = None


@dataclass(frozen=True)
class IngestionResult:
    """What one load did.

    Attributes:
        rows: Rows loaded, by table; a table that had nothing new is there with 0.
        elapsed_s: Seconds of the whole load.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0


class IngestionPlugin(PluginMetadata[C]):
    """A loader."""

    plugin_type: ClassVar[PluginType] = PluginType.INGESTION

    @property
    @abstractmethod
    def source_model(self) -> type[BaseModel]:
        """What checks `sources[].config` of a product: frozen, unknown fields are errors, secrets are references.

        A property, so that a plugin can leave building its models until a product has a source.
        """

    def tables(self, source: BaseModel) -> tuple[str, ...]:
        """Names of the tables that `source` fills, in its order, so that others can refer to them before a load.

        Asks nobody and resolves no reference. Empty for a plugin that only knows once it has loaded.

        Args:
            source: An instance of `source_model`.
        """
        del source
        return ()

    @abstractmethod
    def load(self, request: IngestionRequest) -> IngestionResult:
        """Run one load to its end.

        A load that was killed is made good by the next one: no row is lost and none comes twice.

        Raises:
            IngestionError: It failed, or the source's settings are wrong.
            SecretUnavailableError: A reference points to nothing.
        """

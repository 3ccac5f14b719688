"""Ingestion: brings rows from a source into the warehouse."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping


class IngestionError(FloeError):
    """A load failed; names source and destination and keeps the engine's reason."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class IngestionRequest:
    """One load.

    Attributes:
        pipeline: The pipeline's name, under which the engine keeps its state.
        source: The source's settings; secrets by reference.
        dataset: The schema or namespace that tables go to.
    """

    pipeline: str
    source: Mapping[str, Any]
    dataset: str


@dataclass(frozen=True)
class IngestionResult:
    """What one load did.

    Attributes:
        rows: Rows loaded, by table.
        elapsed_s: Seconds of the whole load.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0


class IngestionPlugin(PluginMetadata[C]):
    """A loader."""

    plugin_type: ClassVar[PluginType] = PluginType.INGESTION

    @abstractmethod
    def load(self, request: IngestionRequest) -> IngestionResult:
        """Run one load to its end.

        Raises:
            IngestionError: It failed; what was loaded before is as the engine's own contract says.
        """

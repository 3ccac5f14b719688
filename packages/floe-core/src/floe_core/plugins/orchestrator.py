"""Orchestrator: loads a compiled product as assets and runs it on its schedule."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from pathlib import Path


class OrchestratorError(FloeError):
    """The orchestrator cannot load or run the product."""

    exit_code = ExitCode.WRONG


class OrchestratorPlugin(PluginMetadata[C]):
    """A scheduler of products."""

    plugin_type: ClassVar[PluginType] = PluginType.ORCHESTRATOR

    @abstractmethod
    def definitions(self, product_dir: Path) -> Any:
        """The engine's own definitions (Dagster: `dagster.Definitions`) of the product in `product_dir`.

        The folder holds `floe.yaml`, the dbt project and the compiled artifacts.

        Raises:
            OrchestratorError: Something that the definitions need is missing or wrong.
        """

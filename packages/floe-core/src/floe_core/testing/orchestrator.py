"""What every orchestrator promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import OrchestratorError, OrchestratorPlugin, PluginType
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import refuses

if TYPE_CHECKING:
    from pathlib import Path


class OrchestratorConformance(PluginConformance):
    """Fixtures: `plugin`; pytest's `tmp_path`."""

    plugin_type: ClassVar[PluginType] = PluginType.ORCHESTRATOR

    def test_an_empty_folder_is_told(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """A folder without a product raises its own error."""
        with refuses(OrchestratorError, "a folder without a product raises OrchestratorError"):
            plugin.definitions(tmp_path)

"""What every dbt engine promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import DbtCommand, DBTPlugin, DbtProjectError, DbtRequest, Lane, PluginType
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from pathlib import Path


class DBTConformance(PluginConformance):
    """Fixtures: `plugin`; pytest's `tmp_path`."""

    plugin_type: ClassVar[PluginType] = PluginType.DBT

    def test_it_knows_its_engine(self, plugin: DBTPlugin[Any]) -> None:
        """The engine has a version."""
        expect(plugin.engine_version()[:1].isdigit(), "engine_version is a version")

    def test_a_missing_project_is_told(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """A folder without a project raises its own error."""
        request = DbtRequest(
            DbtCommand.PARSE, tmp_path, tmp_path, target=Lane.DUCKDB.value, target_path=tmp_path / "target"
        )
        with refuses(DbtProjectError, "a folder without a project raises DbtProjectError"):
            plugin.run(request)

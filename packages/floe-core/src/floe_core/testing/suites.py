"""A suite for each ABC that has an implementation; inherit it and supply the fixtures its docstring names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import (
    CatalogError,
    CatalogPlugin,
    CatalogUnavailableError,
    ComputePlugin,
    DbtCommand,
    DBTPlugin,
    DbtProjectError,
    DbtRequest,
    Lane,
    LaneNotSupportedError,
    OrchestratorError,
    OrchestratorPlugin,
    PluginType,
    StoragePlugin,
    TargetRequest,
    TelemetryBackendPlugin,
)
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from pathlib import Path


class ComputeConformance(PluginConformance):
    """Fixtures: `plugin`."""

    plugin_type: ClassVar[PluginType] = PluginType.COMPUTE

    def test_every_lane_has_a_target(self, plugin: ComputePlugin[Any]) -> None:
        """Each lane it names gives plain JSON for its adapter, the same twice; others are refused."""
        expect(plugin.lanes, "it builds in one lane at least")
        for lane in Lane:
            request = TargetRequest("some-product", lane)
            if lane not in plugin.lanes:
                with refuses(LaneNotSupportedError, f"the lane {lane} is refused"):
                    plugin.dbt_target(request)
                continue
            target = plugin.dbt_target(request)
            expect(json.loads(json.dumps(target)) == target, "a target is plain JSON")
            expect(f"dbt-{target.get('type')}" == plugin.adapter, "its type is that of the adapter")
            expect(target == plugin.dbt_target(request), "a target is the same twice")


class StorageConformance(PluginConformance):
    """Fixtures: `plugin`, whose references can be resolved, and `secret`, a value behind one of them."""

    plugin_type: ClassVar[PluginType] = PluginType.STORAGE

    def test_uris_nest(self, plugin: StoragePlugin[Any]) -> None:
        """A namespace lies below the root; no slash at the end."""
        root, nested = plugin.warehouse_uri(), plugin.warehouse_uri("a.b")
        expect("://" in root and not root.endswith("/"), f"{root} is a URI without a slash at its end")
        expect(nested == f"{root}/a/b", f"{nested} lies below {root}")

    def test_secrets_are_resolved_late(self, plugin: StoragePlugin[Any], secret: str) -> None:
        """FileIO properties hold the secret; the plugin, its configuration and what artifacts keep do not."""
        properties = plugin.fileio_properties()
        expect(all(isinstance(value, str) for value in properties.values()), "FileIO properties are text")
        expect(secret in properties.values(), "FileIO properties hold the resolved secret")
        shown = f"{plugin!r} {plugin.config!r} {plugin.config.model_dump_json()}"
        expect(secret not in shown, "the secret stays out of what is printed and kept")


class CatalogConformance(PluginConformance):
    """Fixtures: `plugin`; `unreachable`, the same plugin with an address where nothing listens."""

    plugin_type: ClassVar[PluginType] = PluginType.CATALOG

    def test_silence_is_told(self, unreachable: CatalogPlugin[Any]) -> None:
        """Where nothing answers, connecting raises its own error."""
        with refuses(CatalogUnavailableError, "connect raises CatalogUnavailableError where nothing listens"):
            unreachable.connect()


class LiveCatalogConformance(CatalogConformance):
    """Fixtures: `plugin`, signed in to a running catalog; `unreachable`; `namespace`, a name that is free."""

    def test_namespaces(self, plugin: CatalogPlugin[Any], namespace: str) -> None:
        """Making a namespace is idempotent, a new one is empty, and an unknown one is an error."""
        expect(plugin.create_namespace(namespace) is True, "the first call makes it")
        expect(plugin.create_namespace(namespace) is False, "the second finds it")
        expect(plugin.list_tables(namespace) == (), "it is empty")
        with refuses(CatalogError, "an unknown namespace is an error"):
            plugin.list_tables(f"{namespace}_missing")


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


class TelemetryConformance(PluginConformance):
    """Fixtures: `plugin`."""

    plugin_type: ClassVar[PluginType] = PluginType.TELEMETRY_BACKEND

    def test_a_session_ends(self, plugin: TelemetryBackendPlugin[Any]) -> None:
        """A session says whether it flushed, and ends twice without harm."""
        session = plugin.start("conformance", {"floe.suite": "conformance"})
        expect(isinstance(session.flush(1.0), bool), "flush says whether everything went out")
        session.shutdown()
        session.shutdown()


class OrchestratorConformance(PluginConformance):
    """Fixtures: `plugin`; pytest's `tmp_path`."""

    plugin_type: ClassVar[PluginType] = PluginType.ORCHESTRATOR

    def test_an_empty_folder_is_told(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """A folder without a product raises its own error."""
        with refuses(OrchestratorError, "a folder without a product raises OrchestratorError"):
            plugin.definitions(tmp_path)

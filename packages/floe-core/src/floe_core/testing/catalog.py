"""What every catalog plugin promises, without a catalog and with one."""

from __future__ import annotations

from typing import Any, ClassVar

from floe_core.plugins import CatalogError, CatalogPlugin, CatalogUnavailableError, PluginType
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses


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

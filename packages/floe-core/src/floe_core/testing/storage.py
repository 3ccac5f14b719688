"""What every storage plugin promises."""

from __future__ import annotations

from typing import Any, ClassVar

from floe_core.plugins import PluginType, StoragePlugin
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect


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

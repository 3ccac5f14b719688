"""What every telemetry back end promises."""

from __future__ import annotations

from typing import Any, ClassVar

from floe_core.plugins import PluginType, TelemetryBackendPlugin
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect


class TelemetryBackendConformance(PluginConformance):
    """Fixtures: `plugin`."""

    plugin_type: ClassVar[PluginType] = PluginType.TELEMETRY_BACKEND

    def test_a_session_ends(self, plugin: TelemetryBackendPlugin[Any]) -> None:
        """A session says whether it flushed, and ends twice without harm."""
        session = plugin.start("conformance", {"floe.suite": "conformance"})
        expect(isinstance(session.flush(1.0), bool), "flush says whether everything went out")
        session.shutdown()
        session.shutdown()

"""Conformance suites for plugin authors: inherit one, supply its fixtures, and pytest holds you to the contract.

class TestMine(ComputeConformance):
    @pytest.fixture
    def plugin(self):
        return MyComputePlugin(MyConfig())
"""

from __future__ import annotations

from floe_core.testing.base import PluginConformance
from floe_core.testing.suites import (
    CatalogConformance,
    ComputeConformance,
    DBTConformance,
    LiveCatalogConformance,
    OrchestratorConformance,
    StorageConformance,
    TelemetryConformance,
)

__all__ = [
    "CatalogConformance",
    "ComputeConformance",
    "DBTConformance",
    "LiveCatalogConformance",
    "OrchestratorConformance",
    "PluginConformance",
    "StorageConformance",
    "TelemetryConformance",
]

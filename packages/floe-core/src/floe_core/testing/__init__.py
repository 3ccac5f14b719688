"""Conformance suites for plugin authors: inherit one, supply its fixtures, and pytest holds you to the contract.

    class TestMine(ComputeConformance):
        @pytest.fixture
        def plugin(self):
            return MyComputePlugin(MyConfig())

The fixtures that a suite wants stand in its docstring. Beside floe_core they need pytest alone, and your distribution
installed, as they look for its entry point.
"""

from __future__ import annotations

from floe_core.testing.alert_channel import AlertChannelConformance
from floe_core.testing.base import PluginConformance
from floe_core.testing.catalog import CatalogConformance, LiveCatalogConformance
from floe_core.testing.compute import ComputeConformance
from floe_core.testing.dbt import DBTConformance
from floe_core.testing.identity import IdentityConformance
from floe_core.testing.ingestion import IngestionConformance
from floe_core.testing.lineage_backend import LineageBackendConformance
from floe_core.testing.orchestrator import OrchestratorConformance
from floe_core.testing.quality import QualityConformance
from floe_core.testing.rbac import RBACConformance
from floe_core.testing.secrets import SecretsConformance
from floe_core.testing.semantic_layer import SemanticLayerConformance
from floe_core.testing.storage import StorageConformance
from floe_core.testing.telemetry_backend import TelemetryBackendConformance

__all__ = [
    "AlertChannelConformance",
    "CatalogConformance",
    "ComputeConformance",
    "DBTConformance",
    "IdentityConformance",
    "IngestionConformance",
    "LineageBackendConformance",
    "LiveCatalogConformance",
    "OrchestratorConformance",
    "PluginConformance",
    "QualityConformance",
    "RBACConformance",
    "SecretsConformance",
    "SemanticLayerConformance",
    "StorageConformance",
    "TelemetryBackendConformance",
]

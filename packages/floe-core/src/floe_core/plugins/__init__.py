"""The fourteen plugin types and their ABCs; a plugin subclasses one and declares one entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from floe_core.plugins.alert_channel import Alert, AlertChannelPlugin, AlertDeliveryError, Severity
from floe_core.plugins.catalog import (
    CatalogAddress,
    CatalogAuthenticationError,
    CatalogError,
    CatalogPlugin,
    CatalogUnavailableError,
    IcebergCatalog,
    Keeping,
    Maintained,
    TableState,
)
from floe_core.plugins.compute import (
    ArrowRows,
    ComputeError,
    ComputePlugin,
    Lane,
    LaneNotSupportedError,
    TargetRequest,
)
from floe_core.plugins.dbt import (
    DbtCommand,
    DbtError,
    DbtNode,
    DBTPlugin,
    DbtProjectError,
    DbtRequest,
    DbtResult,
    DbtTargetError,
    DbtTest,
)
from floe_core.plugins.identity import (
    IdentityError,
    IdentityPlugin,
    IdentityTimeoutError,
    IdentityUnavailableError,
    Principal,
    Refusal,
    TokenRefusedError,
)
from floe_core.plugins.ingestion import IngestionError, IngestionPlugin, IngestionRequest, IngestionResult
from floe_core.plugins.interface import (
    API_VERSION,
    HealthState,
    HealthStatus,
    NoConfig,
    PluginConfig,
    PluginMetadata,
    PluginType,
)
from floe_core.plugins.lineage_backend import LineageBackendPlugin, LineageError
from floe_core.plugins.orchestrator import OrchestratorError, OrchestratorPlugin
from floe_core.plugins.quality import Dimension, QualityError, QualityFinding, QualityPlugin, QualityReport
from floe_core.plugins.rbac import LAUNCH_RIGHTS, RBACError, RBACPlugin, Right, RightsRequest
from floe_core.plugins.secrets import (
    SecretNameError,
    SecretNotFoundError,
    SecretRefusedError,
    SecretsError,
    SecretsPlugin,
)
from floe_core.plugins.semantic_layer import (
    SemanticLayerError,
    SemanticLayerPlugin,
    SemanticRequest,
    SemanticResult,
)
from floe_core.plugins.storage import StorageAddress, StorageError, StoragePlugin
from floe_core.plugins.telemetry_backend import TelemetryBackendPlugin, TelemetryError, TelemetrySession

if TYPE_CHECKING:
    from collections.abc import Mapping

ABCS: Final[Mapping[PluginType, type[PluginMetadata[Any]]]] = {
    PluginType.COMPUTE: ComputePlugin,
    PluginType.ORCHESTRATOR: OrchestratorPlugin,
    PluginType.CATALOG: CatalogPlugin,
    PluginType.STORAGE: StoragePlugin,
    PluginType.TELEMETRY_BACKEND: TelemetryBackendPlugin,
    PluginType.LINEAGE_BACKEND: LineageBackendPlugin,
    PluginType.DBT: DBTPlugin,
    PluginType.SEMANTIC_LAYER: SemanticLayerPlugin,
    PluginType.INGESTION: IngestionPlugin,
    PluginType.SECRETS: SecretsPlugin,
    PluginType.IDENTITY: IdentityPlugin,
    PluginType.QUALITY: QualityPlugin,
    PluginType.RBAC: RBACPlugin,
    PluginType.ALERT_CHANNEL: AlertChannelPlugin,
}
"""The ABC of every plugin type."""

__all__ = [
    "ABCS",
    "API_VERSION",
    "LAUNCH_RIGHTS",
    "Alert",
    "AlertChannelPlugin",
    "AlertDeliveryError",
    "ArrowRows",
    "CatalogAddress",
    "CatalogAuthenticationError",
    "CatalogError",
    "CatalogPlugin",
    "CatalogUnavailableError",
    "ComputeError",
    "ComputePlugin",
    "DBTPlugin",
    "DbtCommand",
    "DbtError",
    "DbtNode",
    "DbtProjectError",
    "DbtRequest",
    "DbtResult",
    "DbtTargetError",
    "DbtTest",
    "Dimension",
    "HealthState",
    "HealthStatus",
    "IcebergCatalog",
    "IdentityError",
    "IdentityPlugin",
    "IdentityTimeoutError",
    "IdentityUnavailableError",
    "IngestionError",
    "IngestionPlugin",
    "IngestionRequest",
    "IngestionResult",
    "Keeping",
    "Lane",
    "LaneNotSupportedError",
    "LineageBackendPlugin",
    "LineageError",
    "Maintained",
    "NoConfig",
    "OrchestratorError",
    "OrchestratorPlugin",
    "PluginConfig",
    "PluginMetadata",
    "PluginType",
    "Principal",
    "QualityError",
    "QualityFinding",
    "QualityPlugin",
    "QualityReport",
    "RBACError",
    "RBACPlugin",
    "Refusal",
    "Right",
    "RightsRequest",
    "SecretNameError",
    "SecretNotFoundError",
    "SecretRefusedError",
    "SecretsError",
    "SecretsPlugin",
    "SemanticLayerError",
    "SemanticLayerPlugin",
    "SemanticRequest",
    "SemanticResult",
    "Severity",
    "StorageAddress",
    "StorageError",
    "StoragePlugin",
    "TableState",
    "TargetRequest",
    "TelemetryBackendPlugin",
    "TelemetryError",
    "TelemetrySession",
    "TokenRefusedError",
]

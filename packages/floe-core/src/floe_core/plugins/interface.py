"""What every plugin is: its type, its metadata, its configuration, its health and its life.

A plugin is a class that an entry point names. The registry constructs it with a validated configuration;
nothing is configured afterwards and nothing is shared between two compilations.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from types import TracebackType

API_VERSION = "1.0"
"""The plugin API that this floe_core speaks: a plugin's major must be equal, its minor not larger."""


class PluginType(StrEnum):
    """The fourteen things that a platform chooses; the value is the key under `plugins:` in a manifest."""

    COMPUTE = "compute"
    ORCHESTRATOR = "orchestrator"
    CATALOG = "catalog"
    STORAGE = "storage"
    TELEMETRY_BACKEND = "telemetry_backend"
    LINEAGE_BACKEND = "lineage_backend"
    DBT = "dbt"
    SEMANTIC_LAYER = "semantic_layer"
    INGESTION = "ingestion"
    SECRETS = "secrets"
    IDENTITY = "identity"
    QUALITY = "quality"
    RBAC = "rbac"
    ALERT_CHANNEL = "alert_channel"

    @property
    def entry_point_group(self) -> str:
        """The group under which a distribution declares plugins of this type, for example `floe.computes`."""
        return _GROUPS[self]


_PLURAL = frozenset(
    {
        PluginType.COMPUTE,
        PluginType.ORCHESTRATOR,
        PluginType.CATALOG,
        PluginType.TELEMETRY_BACKEND,
        PluginType.LINEAGE_BACKEND,
        PluginType.SEMANTIC_LAYER,
        PluginType.ALERT_CHANNEL,
    }
)
_GROUPS = {kind: f"floe.{kind.value}{'s' if kind in _PLURAL else ''}" for kind in PluginType}


class PluginConfig(BaseModel):
    """Base of every plugin's configuration: frozen, and an unknown field is an error.

    Defaults are validated as well, so that a default `{secret: NAME}` finds the store of the platform.
    """

    # Schemas are built when the first configuration is validated: of all that are installed, a platform uses a few.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,
        validate_default=True,
        revalidate_instances="always",
    )


class NoConfig(PluginConfig):
    """The configuration of a plugin that takes none."""


C = TypeVar("C", bound=PluginConfig)


class HealthState(StrEnum):
    """How a plugin's service does."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class HealthStatus:
    """One answer of a health check.

    Attributes:
        state: How the service does.
        message: One sentence with what was seen; never a secret.
        details: Figures by name, for example `{"latency_ms": "12"}`.
    """

    state: HealthState
    message: str = ""
    details: dict[str, str] = field(default_factory=dict)


class PluginMetadata(ABC, Generic[C]):
    """Base of the fourteen ABCs; subclass one of those, never this.

    The metadata are class attributes, so that they can be checked before anything is constructed.

    Attributes:
        plugin_type: Set by the ABC.
        name: The name under which manifests choose the plugin; equal to the entry point's.
        version: The distribution's version, X.Y.Z.
        floe_api_version: The plugin API it was written for, X.Y.
        tracer_name: Name of its OpenTelemetry tracer; None says that it makes no spans (ENFORCE warns).
        description: One sentence for `floe plugins`.
        config_model: The pydantic model of its configuration.
        dependencies: Types that must be chosen too and that start before it.
        config: The validated configuration of this instance.
    """

    plugin_type: ClassVar[PluginType]
    name: ClassVar[str]
    version: ClassVar[str]
    floe_api_version: ClassVar[str]
    tracer_name: ClassVar[str | None] = None
    description: ClassVar[str] = ""
    config_model: ClassVar[type[PluginConfig]] = NoConfig
    dependencies: ClassVar[tuple[PluginType, ...]] = ()

    def __init__(self, config: C) -> None:
        self.config: C = config

    def health_check(self, timeout_s: float) -> HealthStatus:
        """How the service behind the plugin does, within `timeout_s` seconds; healthy where there is none.

        Never raises: a service that cannot be asked, or a reference that points to nothing, is UNHEALTHY.
        """
        return HealthStatus(HealthState.HEALTHY, f"no service to ask (limit {timeout_s:g} s)")

    def startup(self) -> None:
        """Open what the plugin holds open while it is used; nothing by default."""
        return

    def shutdown(self) -> None:
        """Close what `startup` opened; safe to call twice."""
        return

    def __enter__(self) -> Self:
        self.startup()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

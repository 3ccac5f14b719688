"""`manifest.yaml`: a platform, written once by its team: which plugins, how they are set, which rules."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from floe_core.spec.base import Name, Owner, PluginName, SpecModel, Text, Version
from floe_core.spec.governance import Governance
from floe_core.spec.secrets import Setting


class ManifestMetadata(SpecModel):
    """Which platform this is.

    Attributes:
        name: Its name.
        version: The manifest's version.
        owner: Who answers for it.
        description: What it is for.
    """

    name: Name
    version: Version
    owner: Owner
    description: Text = ""


class PluginSelection(SpecModel):
    """One chosen plugin.

    Attributes:
        type: The plugin's name, for example `duckdb` under `compute`.
        version: The exact version that must be installed; any when empty.
        config: Its settings, checked against the plugin's own schema; secrets by reference only.
    """

    type: PluginName
    version: Version | None = None
    config: dict[str, Any] = Field(default_factory=dict)


class PluginSelections(SpecModel):
    """The chosen plugin of each type; only compute and dbt are always needed.

    The fields are the values of `floe_core.plugins.PluginType`, which a test holds.
    """

    compute: PluginSelection
    dbt: PluginSelection = PluginSelection(type="core")
    orchestrator: PluginSelection | None = None
    catalog: PluginSelection | None = None
    storage: PluginSelection | None = None
    telemetry_backend: PluginSelection | None = None
    lineage_backend: PluginSelection | None = None
    semantic_layer: PluginSelection | None = None
    ingestion: PluginSelection | None = None
    secrets: PluginSelection | None = None
    identity: PluginSelection | None = None
    quality: PluginSelection | None = None
    rbac: PluginSelection | None = None
    alert_channel: PluginSelection | None = None

    def chosen(self) -> dict[str, PluginSelection]:
        """The selections that are set, by type, in the order of the fields."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class Tracing(SpecModel):
    """Where spans go.

    Attributes:
        enabled: Whether builds make spans.
        endpoint: The collector's OTLP URL; OTEL_EXPORTER_OTLP_ENDPOINT when empty.
    """

    enabled: StrictBool = True
    endpoint: Setting = ""


class Observability(SpecModel):
    """What the platform sees of its products.

    Attributes:
        tracing: Where spans go.
    """

    tracing: Tracing = Tracing()


class PlatformManifest(SpecModel):
    """A platform.

    Attributes:
        api_version: The version of this schema.
        kind: Always `Manifest`.
        metadata: Which platform this is.
        plugins: The chosen plugins.
        governance: The rules; without any, the level is `warn`.
        observability: What the platform sees.
    """

    api_version: Annotated[Literal["floe.dev/v1"], Field(alias="apiVersion")]
    kind: Literal["Manifest"]
    metadata: ManifestMetadata
    plugins: PluginSelections
    governance: Governance | None = None
    observability: Observability = Observability()

"""`manifest.yaml`: a platform, written once by its team: which plugins, how they are set, which rules."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field, StrictBool, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from floe_core.spec.base import Config, Distinct, Name, Owner, PluginName, SpecModel, Text, Version
from floe_core.spec.governance import Governance
from floe_core.spec.secrets import Setting

if TYPE_CHECKING:
    from pydantic.config import JsonDict


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


PluginKind: TypeAlias = Literal[
    "compute",
    "orchestrator",
    "catalog",
    "storage",
    "telemetry_backend",
    "lineage_backend",
    "dbt",
    "semantic_layer",
    "ingestion",
    "secrets",
    "identity",
    "quality",
    "rbac",
    "alert_channel",
]
"""The values of `floe_core.plugins.PluginType`, which a test holds."""


class PluginSelection(SpecModel):
    """One chosen plugin.

    Attributes:
        type: The plugin's name, for example `duckdb` under `compute`.
        version: The exact version that must be installed; any when empty.
        config: Its settings, checked against the plugin's own schema; secrets by reference only.
    """

    type: PluginName
    version: Version | None = None
    config: Config = Field(default_factory=dict)


class _Chosen(SpecModel):
    """The types that a platform can do without.

    Attributes:
        compute: The engine that runs the models.
        dbt: What runs dbt.
        orchestrator: What builds products on their schedules.
        catalog: Where Iceberg tables are registered.
        storage: Where Iceberg tables lie.
        telemetry_backend: Where spans go.
        lineage_backend: Where lineage goes.
        semantic_layer: What serves the models to people and programs.
        ingestion: What loads sources and fills destinations.
        secrets: The store that `{secret: NAME}` is looked up in.
        identity: Who signs people and programs in.
        quality: What holds the models to their tests.
        rbac: What gives products their rights.
        alert_channel: Where alerts go.
    """

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


class PluginSelections(_Chosen):
    """The chosen plugin of each type; only compute and dbt are always needed.

    The fields are the values of `floe_core.plugins.PluginType`, which a test holds.
    """

    compute: PluginSelection
    dbt: PluginSelection = PluginSelection(type="core")

    def chosen(self) -> dict[str, PluginSelection]:
        """The selections that are set, by type, in the order of `PluginKind`."""
        return {name: value for name in get_args(PluginKind) if (value := getattr(self, name)) is not None}


class Tracing(SpecModel):
    """Where spans go.

    Attributes:
        enabled: Whether builds make spans.
        endpoint: The collector's OTLP URL; OTEL_EXPORTER_OTLP_ENDPOINT when empty.
    """

    enabled: StrictBool = True
    endpoint: Setting = ""


class Lineage(SpecModel):
    """Whether builds tell what they read and wrote.

    Attributes:
        enabled: Whether builds emit lineage, where a lineage back end is chosen.
    """

    enabled: StrictBool = True


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class Logging(SpecModel):
    """What builds log.

    Attributes:
        level: The least important lines that are written.
        format: Lines for people, or one JSON object a line.
    """

    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.TEXT


class Observability(SpecModel):
    """What the platform sees of its products.

    Attributes:
        tracing: Where spans go.
        lineage: Whether builds emit lineage.
        logging: What builds log.
    """

    tracing: Tracing = Tracing()
    lineage: Lineage = Lineage()
    logging: Logging = Logging()


class Scope(StrEnum):
    """Whom a manifest is for."""

    ENTERPRISE = "enterprise"
    DOMAIN = "domain"


class _Manifest(SpecModel):
    """What manifests of every scope say."""

    api_version: Annotated[Literal["floe.dev/v1"], Field(alias="apiVersion")]
    kind: Literal["Manifest"]
    metadata: ManifestMetadata
    governance: Governance | None = None
    observability: Observability = Observability()


# An enterprise approves no products, in JSON Schema's words.
_ENTERPRISE: JsonDict = {
    "if": {"required": ["scope"], "properties": {"scope": {"const": "enterprise"}}},
    "then": {"properties": {"approved_products": {"type": "null"}}},
}


class PlatformManifest(_Manifest):
    """A platform; of a domain, with all that it has from its parent.

    Attributes:
        api_version: The version of this schema.
        kind: Always `Manifest`.
        metadata: Which platform this is.
        governance: The rules; without any, the level is `warn`.
        observability: What the platform sees.
        scope: `enterprise` is the parent of domains; without a scope a platform stands alone.
        plugins: The chosen plugins.
        approved_plugins: Names by type that may be chosen; any of a type that is not listed.
        approved_sinks: Kinds of sinks that destinations may have; any when None.
        approved_products: The products that may be compiled for it; any when None. An enterprise names none.
    """

    model_config = ConfigDict(json_schema_extra=_ENTERPRISE)
    misplaced: ClassVar[Mapping[str, tuple[str, str]]] = {
        "parent_manifest": ("only a manifest of scope domain has a parent", "add scope: domain, or remove it"),
    }

    scope: Scope | None = None
    plugins: PluginSelections
    approved_plugins: dict[PluginKind, Distinct[PluginName]] = Field(default_factory=dict)
    approved_sinks: Distinct[PluginName] | None = None
    approved_products: Distinct[Name] | None = None

    @field_validator("approved_products")
    @classmethod
    def _no_enterprise(cls, names: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if names is not None and info.data.get("scope") is Scope.ENTERPRISE:
            raise PydanticCustomError("floe_scope", "an enterprise approves no products; each of its domains does")
        return names


class DomainSelections(_Chosen):
    """The plugins that a domain chooses itself; the others come from its parent."""

    compute: PluginSelection | None = None
    dbt: PluginSelection | None = None


class DomainManifest(_Manifest):
    """A domain's part of a platform, as it is written; `load_manifest` joins it with its parent.

    Attributes:
        api_version: The version of this schema.
        kind: Always `Manifest`.
        metadata: Which domain this is.
        governance: Its rules; they may be stricter than the parent's and never looser.
        observability: What it sees; wins over the parent's.
        scope: Always `domain`.
        parent_manifest: Path of the enterprise's manifest, relative to this file's folder.
        plugins: What it chooses itself; the parent's where it chooses nothing.
        approved_products: The products that may be compiled for it; any when None.
    """

    misplaced: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("approved_plugins", "approved_sinks"),
        ("a domain approves no plugins and no sinks, its enterprise does", "move it into the parent's manifest"),
    )

    scope: Literal["domain"]
    parent_manifest: Annotated[str, Field(min_length=1, max_length=4096, examples=["../enterprise.yaml"])]
    plugins: DomainSelections = DomainSelections()
    approved_products: Distinct[Name] | None = None

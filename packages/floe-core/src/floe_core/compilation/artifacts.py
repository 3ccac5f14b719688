"""CompiledArtifacts: everything that running a product needs, and no value of a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from floe_core.enforcement.result import EnforcementResultSummary
from floe_core.spec.governance import Classification, Tier
from floe_core.spec.platform import LogFormat, LogLevel

ARTIFACTS_VERSION: Final = "1.1.0"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CompilationMetadata(_Part):
    """What was compiled by what.

    Attributes:
        product_name: The product.
        product_version: Its version.
        product_description: What it is for.
        product_owner: Who answers for it; empty where nobody is named.
        platform_name: The platform.
        platform_version: The manifest's version.
        floe_version: The floe_core that compiled.
        source_hash: `sha256:` of the product and of every manifest that it was compiled with.
        compiled_at: In UTC, and only where SOURCE_DATE_EPOCH is set: equal inputs give equal bytes.
    """

    product_name: str
    product_version: str
    product_description: str
    product_owner: str
    platform_name: str
    platform_version: str
    floe_version: str
    source_hash: str
    compiled_at: datetime | None = None


class InheritanceRecord(_Part):
    """One manifest of the chain: the platform's own first, then its parents.

    Attributes:
        name: The manifest's name.
        version: Its version.
        scope: `domain`, `enterprise`, or None for a platform that stands alone.
        sha256: Of its bytes.
    """

    name: str
    version: str
    scope: str | None
    sha256: str


class PluginRecord(_Part):
    """One chosen plugin.

    Attributes:
        name: Its name.
        version: The installed version.
        api_version: The plugin API it was written for.
        distribution: Where it came from.
        config: The whole validated configuration, defaults included, secrets as references.
    """

    name: str
    version: str
    api_version: str
    distribution: str
    config: dict[str, Any]


class ModelRecord(_Part):
    """One transform.

    Attributes:
        name: The dbt model.
        tier: How refined it is.
        description: The note in `floe.yaml`; dbt's own stays in dbt's files.
        compute: The compute plugin it runs on.
        depends_on: What it reads.
        tags: Words to select it by.
        quality_checks: Generic dbt tests that it must have.
        tests: The dbt tests that it has; empty where dbt's manifest was not used.
    """

    name: str
    tier: Tier | None
    description: str
    compute: str
    depends_on: tuple[str, ...]
    tags: tuple[str, ...]
    quality_checks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


class ScheduleRecord(_Part):
    """When the product is built; as in `floe.yaml`."""

    cron: str
    timezone: str
    enabled: bool


class SensorRecord(_Part):
    """What an orchestrator watches.

    Attributes:
        name: The sensor's name.
        kind: `health`: asks the plugins how their services do, and builds the product when they do well again.
        interval_s: Least seconds between two looks.
        plugins: The types whose health is asked.
    """

    name: str
    kind: Literal["health"]
    interval_s: int
    plugins: tuple[str, ...]


class SourceRecord(_Part):
    """What ingestion loads.

    Attributes:
        name: Its name.
        dataset: Where its tables go.
        config: The whole validated configuration, secrets as references.
    """

    name: str
    dataset: str
    config: dict[str, Any]


class DestinationRecord(_Part):
    """Where an output port is sent; as in `floe.yaml`, secrets as references."""

    name: str
    sink_type: str
    source_table: str
    connection_secret_ref: dict[str, str] | None
    config: dict[str, Any]
    field_mapping: dict[str, str]
    batch_size: int


class RetentionRecord(_Part):
    """How long rows and snapshots are kept.

    Attributes:
        days: Days that rows are kept; None where nobody says.
        keep_snapshots: Snapshots of a table that are kept.
    """

    days: int | None
    keep_snapshots: int


class ColumnRecord(_Part):
    """A promised column; as in `floe.yaml`."""

    name: str
    type: str
    description: str
    required: bool
    primary_key: bool
    classification: Classification | None = None


class PortRecord(_Part):
    """A table that others may use.

    Attributes:
        name: The transform.
        description: What a row is.
        owner: Who answers: the port's owner, else the product's.
        columns: What it promises.
    """

    name: str
    description: str
    owner: str
    columns: tuple[ColumnRecord, ...]


class TracingRecord(_Part):
    """Where spans go; the endpoint may be a reference."""

    enabled: bool
    endpoint: str | dict[str, str]


class LineageRecord(_Part):
    """Whether builds tell what they read and wrote; only where a lineage back end is chosen too."""

    enabled: bool


class LoggingRecord(_Part):
    """What builds log; as in the manifest."""

    level: LogLevel
    format: LogFormat


class DbtManifestRecord(_Part):
    """Whether dbt's own manifest was used.

    Attributes:
        used: Whether it was.
        why: Why it was not; empty where it was.
        dbt_version: The dbt that wrote it; empty where it was not used.
        models: How many models of the product it knows.
        tests: How many of those have a test.
    """

    used: bool
    why: str
    dbt_version: str = ""
    models: int = 0
    tests: int = 0


class CompiledArtifacts(_Part):
    """A compiled product.

    Attributes:
        version: The version of this schema.
        metadata: What was compiled by what.
        inheritance: The manifests, the platform's own first.
        plugins: The chosen plugins, by type.
        models: The transforms.
        sources: What ingestion loads.
        schedule: When the product is built.
        sensors: What the orchestrator watches; empty without one.
        output_ports: What others may use.
        destinations: Where output ports are sent.
        retention: How long data are kept.
        tracing: Where spans go.
        lineage: Whether lineage is told.
        logging: What builds log.
        dbt_profiles: The content of `profiles.yml`: one profile with an output for each lane.
        dbt_manifest: Whether dbt's own manifest was used, and why not.
        secret_references: Every reference, sorted: `env:NAME`, `file:PATH`, `secret:NAME`.
        enforcement_result: The verdict of ENFORCE; never absent.
    """

    version: Literal["1.1.0"] = ARTIFACTS_VERSION
    metadata: CompilationMetadata
    inheritance: tuple[InheritanceRecord, ...]
    plugins: dict[str, PluginRecord]
    models: tuple[ModelRecord, ...]
    sources: tuple[SourceRecord, ...]
    schedule: ScheduleRecord | None
    sensors: tuple[SensorRecord, ...]
    output_ports: tuple[PortRecord, ...]
    destinations: tuple[DestinationRecord, ...]
    retention: RetentionRecord | None
    tracing: TracingRecord
    lineage: LineageRecord
    logging: LoggingRecord
    dbt_profiles: dict[str, Any]
    dbt_manifest: DbtManifestRecord
    secret_references: tuple[str, ...]
    enforcement_result: EnforcementResultSummary

    def to_json(self) -> str:
        """The artifacts as text: sorted keys, two spaces, a line break at the end; equal for equal content."""
        import json

        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

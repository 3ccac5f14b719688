"""CompiledArtifacts: everything that running a product needs, and no value of a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from floe_core.enforcement.result import EnforcementResultSummary
from floe_core.spec.governance import Classification, Tier

ARTIFACTS_VERSION: Final = "1.0.0"


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
        source_hash: `sha256:` of the two files.
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
        description: The note in `floe.yaml`.
        compute: The compute plugin it runs on.
        depends_on: What it reads.
        tags: Words to select it by.
    """

    name: str
    tier: Tier | None
    description: str
    compute: str
    depends_on: tuple[str, ...]
    tags: tuple[str, ...]


class ScheduleRecord(_Part):
    """When the product is built; as in `floe.yaml`."""

    cron: str
    timezone: str
    enabled: bool


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


class CompiledArtifacts(_Part):
    """A compiled product.

    Attributes:
        version: The version of this schema.
        metadata: What was compiled by what.
        plugins: The chosen plugins, by type.
        models: The transforms.
        schedule: When the product is built.
        output_ports: What others may use.
        tracing: Where spans go.
        dbt_profiles: The content of `profiles.yml`: one profile with an output for each lane.
        secret_references: Every reference in the plugins' configurations, sorted, for example `env:NAME`.
        enforcement_result: The verdict of ENFORCE; never absent.
    """

    version: Literal["1.0.0"] = ARTIFACTS_VERSION
    metadata: CompilationMetadata
    plugins: dict[str, PluginRecord]
    models: tuple[ModelRecord, ...]
    schedule: ScheduleRecord | None
    output_ports: tuple[PortRecord, ...]
    tracing: TracingRecord
    dbt_profiles: dict[str, Any]
    secret_references: tuple[str, ...]
    enforcement_result: EnforcementResultSummary

    def to_json(self) -> str:
        """The artifacts as text: sorted keys, two spaces, a line break at the end; equal for equal content."""
        import json

        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

"""`floe.yaml`: a data product, written by the team that owns it. It names no machine and no credential."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, field_validator
from pydantic_core import PydanticCustomError

from floe_core.spec.base import (
    CHECK,
    Config,
    Distinct,
    Identifier,
    Label,
    Name,
    Named,
    Owner,
    PluginName,
    SomeNamed,
    SpecModel,
    Text,
    Version,
)
from floe_core.spec.governance import Classification, Days, ProductGovernance, Snapshots, Tier
from floe_core.spec.schedule import MAX_LENGTH, check_cron, check_timezone
from floe_core.spec.secrets import SecretRef


class ProductMetadata(SpecModel):
    """Which product this is.

    Attributes:
        name: Its name, unique on the platform.
        version: Its version.
        description: What it is for.
        owner: Who answers for it.
        labels: Free words by name.
    """

    name: Name
    version: Version
    description: Text = ""
    owner: Owner | None = None
    labels: dict[Label, Label] = Field(default_factory=dict)


class ProductPlatform(SpecModel):
    """Which platform the product is compiled for.

    Attributes:
        manifest: Path of the manifest, relative to the product's folder.
    """

    manifest: Annotated[str, Field(min_length=1, max_length=4096, examples=["../manifest.yaml"])]


class Transform(SpecModel):
    """One dbt model.

    Attributes:
        name: The model's name.
        tier: How refined its rows are.
        description: A note for who reads this file; policies hold dbt's own descriptions.
        depends_on: Names of the transforms that it reads.
        compute: The compute plugin it runs on; the platform's when empty.
        tags: Words to select it by.
        quality_checks: Generic dbt tests that the model must have, for example `unique`.
    """

    name: Identifier
    tier: Tier | None = None
    description: Text = ""
    depends_on: Annotated[Distinct[Identifier], Field(alias="dependsOn")] = ()
    compute: PluginName | None = None
    tags: Distinct[Label] = ()
    quality_checks: Annotated[Distinct[Identifier], Field(alias="qualityChecks")] = ()


class Schedule(SpecModel):
    """When the product is built.

    Attributes:
        cron: Five fields: minute, hour, day of month, month, weekday.
        timezone: A name of the IANA database.
        enabled: Whether it runs.
    """

    cron: Annotated[
        str,
        Field(
            max_length=MAX_LENGTH,
            description="minute hour day month weekday",
            examples=["30 5 * * *"],
            json_schema_extra={CHECK: "five cron fields that are due some day"},
        ),
    ]
    timezone: Annotated[
        str,
        Field(
            max_length=64,
            description="a name of the IANA time zone database",
            examples=["Europe/Berlin"],
            json_schema_extra={CHECK: "a time zone that exists"},
        ),
    ] = "UTC"
    enabled: StrictBool = True

    @field_validator("cron")
    @classmethod
    def _cron(cls, text: str) -> str:
        try:
            check_cron(text)
        except ValueError as error:
            raise PydanticCustomError("floe_cron", "{reason}", {"reason": str(error)}) from None
        return text

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, name: str) -> str:
        try:
            check_timezone(name)
        except ValueError as error:
            raise PydanticCustomError("floe_timezone", "{reason}", {"reason": str(error)}) from None
        return name


class LogicalType(StrEnum):
    """Types of a port's columns, as data contracts name them."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class Column(SpecModel):
    """One column that the product promises.

    Attributes:
        name: Its name.
        type: Its logical type.
        description: What it holds.
        required: Whether it is never null.
        primary_key: Whether it identifies a row.
        classification: How carefully its values are handled.
    """

    name: Identifier
    type: LogicalType
    description: Text = ""
    required: StrictBool = False
    primary_key: Annotated[StrictBool, Field(alias="primaryKey")] = False
    classification: Classification | None = None


class OutputPort(SpecModel):
    """A table that others may use; in the Iceberg lane it is published in the catalog.

    Attributes:
        name: The transform whose rows it offers.
        description: What a row is.
        owner: Who answers; the product's owner when empty.
        columns: What it promises, under the key `schema`; empty promises nothing.
    """

    name: Identifier
    description: Text = ""
    owner: Owner | None = None
    columns: Annotated[Named[Column], Field(alias="schema")] = ()


class SourceSpec(SpecModel):
    """What the platform's ingestion plugin loads before the transforms are built.

    Attributes:
        name: Its name, unique in the product.
        dataset: The schema or namespace that its tables go to.
        config: Where the rows come from; checked by the ingestion plugin's own model.
    """

    name: Identifier
    dataset: Identifier = "raw"
    config: Config = Field(default_factory=dict)


class Destination(SpecModel):
    """Where rows of an output port are sent after a build.

    Attributes:
        name: Its name, unique in the product.
        sink_type: The kind of sink, as the ingestion plugin names it.
        source_table: The output port whose rows are sent.
        connection_secret_ref: Where the credential of the connection lies.
        config: The sink's own settings.
        field_mapping: The destination's name of a column, by the port's.
        batch_size: Rows sent at a time.
    """

    name: Name
    sink_type: Annotated[PluginName, Field(alias="sinkType")]
    source_table: Annotated[Identifier, Field(alias="sourceTable")]
    connection_secret_ref: Annotated[SecretRef | None, Field(alias="connectionSecretRef")] = None
    config: Config = Field(default_factory=dict)
    field_mapping: Annotated[dict[Identifier, Identifier], Field(alias="fieldMapping", default_factory=dict)]
    batch_size: Annotated[StrictInt, Field(alias="batchSize", ge=1, le=100_000)] = 1000


class Retention(SpecModel):
    """How long rows and snapshots are kept.

    Attributes:
        days: Days that data are kept.
        keep_snapshots: Snapshots of a table that are kept, whatever their age.
    """

    days: Days
    keep_snapshots: Annotated[Snapshots, Field(alias="keepSnapshots")] = 3


class FloeSpec(SpecModel):
    """A data product.

    Attributes:
        api_version: The version of this schema.
        kind: Always `FloeSpec`.
        metadata: Which product this is.
        platform: Which platform it is compiled for; a command line may name another manifest.
        sources: What is loaded first.
        transforms: Its dbt models.
        schedule: When it is built; never by itself when empty.
        output_ports: What others may use.
        destinations: Where output ports are sent.
        retention: How long data are kept; as the platform does when empty.
        governance: Rules that it holds itself to beyond the platform's.
    """

    api_version: Annotated[Literal["floe.dev/v1"], Field(alias="apiVersion")]
    kind: Literal["FloeSpec"]
    metadata: ProductMetadata
    platform: ProductPlatform | None = None
    sources: Named[SourceSpec] = ()
    transforms: Annotated[SomeNamed[Transform], Field(description="at least one dbt model")]
    schedule: Schedule | None = None
    output_ports: Annotated[Named[OutputPort], Field(alias="outputPorts")] = ()
    destinations: Named[Destination] = ()
    retention: Retention | None = None
    governance: ProductGovernance | None = None

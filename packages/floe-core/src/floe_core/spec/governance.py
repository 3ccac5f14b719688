"""Governance: which rules a platform holds its products to, and how hard."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, StrictBool, StrictInt
from pydantic_core import PydanticCustomError

from floe_core.spec.base import CHECK, Distinct, Label, SpecModel

MAX_PATTERN = 200


class EnforcementLevel(StrEnum):
    """How hard rules are held; later members are stricter."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


def stricter(*levels: EnforcementLevel | None) -> EnforcementLevel:
    """The strictest of the levels that are given; `warn` where none is."""
    order = list(EnforcementLevel)
    given = [level for level in levels if level is not None]
    return max(given, key=order.index) if given else EnforcementLevel.WARN


class Tier(StrEnum):
    """How refined a model's rows are."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


class NamingPattern(StrEnum):
    """A convention for the names of models."""

    MEDALLION = "medallion"
    CUSTOM = "custom"


Days: TypeAlias = Annotated[StrictInt, Field(ge=1, le=36_525)]
"""A time in days, a century at most."""
Snapshots: TypeAlias = Annotated[StrictInt, Field(ge=1, le=10_000)]
"""How many snapshots of a table."""


class Classification(StrEnum):
    """How carefully a column's values are handled; later members more carefully."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PII = "pii"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PydanticCustomError("floe_pattern", "no regular expression: {why}", {"why": str(error)}) from None
    return pattern


Pattern: TypeAlias = Annotated[
    str,
    AfterValidator(_compiles),
    Field(
        max_length=MAX_PATTERN,
        description="a regular expression that a whole name matches",
        examples=["stg_[a-z0-9_]+"],
        json_schema_extra={CHECK: "it compiles as a regular expression"},
    ),
]


class Naming(SpecModel):
    """How models are named.

    Attributes:
        pattern: `medallion` has prefixes for each tier; `custom` takes `patterns`.
        patterns: Regular expression by tier, matched against the whole name; for `custom`.
    """

    pattern: NamingPattern = NamingPattern.MEDALLION
    patterns: dict[Tier, Pattern] = Field(default_factory=dict)


class Governance(SpecModel):
    """The rules of a platform. What is None is not asked.

    Attributes:
        policy_enforcement_level: `off` runs nothing, `warn` counts findings and passes, `strict` fails on errors.
        naming: How models are named.
        require_descriptions: Whether the product and its models are described.
        require_owners: Whether the product and its output ports name who answers for them.
        require_depends_on: Whether silver and gold models say what they are made of.
        require_column_descriptions: Whether the columns of output ports, and dbt's, are described.
        require_classification: Whether every column of an output port is classified.
        restricted_classifications: Columns so classified must not go to a destination.
        required_tags: Tags that every model of a tier must have.
        data_retention_days: Data are kept at least this many days.
        snapshot_keep_last: At least this many snapshots of a table are kept.
        minimum_test_coverage: Percent of the models that have at least one dbt test.
    """

    policy_enforcement_level: EnforcementLevel = EnforcementLevel.WARN
    naming: Naming = Naming()
    require_descriptions: StrictBool = True
    require_owners: StrictBool = True
    require_depends_on: StrictBool = True
    require_column_descriptions: StrictBool = False
    require_classification: StrictBool = False
    restricted_classifications: Distinct[Classification] = ()
    required_tags: dict[Tier, Distinct[Label]] = Field(default_factory=dict)
    data_retention_days: Days | None = None
    snapshot_keep_last: Snapshots | None = None
    minimum_test_coverage: Annotated[StrictInt, Field(ge=0, le=100)] | None = None


class ProductGovernance(SpecModel):
    """What a product may say about its own rules; the stricter of platform and product wins.

    Attributes:
        policy_enforcement_level: At least this hard.
    """

    policy_enforcement_level: EnforcementLevel

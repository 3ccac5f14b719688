"""What all models of written files share: frozen, unknown fields refused, and the kinds of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

API_VERSION = "floe.dev/v1"


T = TypeVar("T")
CHECK = "x-floe-check"
"""Keyword of the JSON Schemas for a rule that JSON Schema has no word for; editors ignore it."""


class SpecModel(BaseModel):
    """A part of a written file.

    Attributes:
        misplaced: Reason and remedy of fields that people write here and that belong elsewhere.
    """

    misplaced: ClassVar[Mapping[str, tuple[str, str]]] = {}

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Name: TypeAlias = Annotated[
    str,
    Field(
        max_length=63,
        pattern=r"^[a-z][a-z0-9-]*$",
        description="a lower-case letter, then lower-case letters, digits and dashes, 63 at most",
        examples=["customer-360"],
    ),
]
Identifier: TypeAlias = Annotated[
    str,
    Field(
        max_length=128,
        pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$",
        description="a dbt identifier: letters, digits and underscores, not starting with a digit",
        examples=["stg_customers"],
    ),
]
PluginName: TypeAlias = Annotated[
    str,
    Field(
        max_length=63,
        pattern=r"^[a-z][a-z0-9_-]*$",
        description="the name of an installed plugin (`floe plugins` lists them)",
        examples=["duckdb"],
    ),
]
Version: TypeAlias = Annotated[
    str,
    Field(
        max_length=64,
        pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$",
        description="a semantic version: major.minor.patch",
        examples=["1.0.0"],
    ),
]
Owner: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=200, description="a team or a person who answers", examples=["data-platform"]),
]
Text: TypeAlias = Annotated[str, Field(max_length=2000, description="a few sentences")]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=63, description="a short word")]


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    return _refuse_repeated(values, values, ())


def _distinct_names(parts: tuple[T, ...]) -> tuple[T, ...]:
    return _refuse_repeated(parts, tuple(part.name for part in parts), ("name",))  # type: ignore[attr-defined] # see Named


def _refuse_repeated(whole: tuple[T, ...], keys: tuple[Any, ...], below: tuple[str, ...]) -> tuple[T, ...]:
    if len(set(keys)) == len(keys):
        return whole
    first: dict[Any, int] = {}
    places = [((index, *below), first[key]) for index, key in enumerate(keys) if first.setdefault(key, index) != index]
    raise PydanticCustomError("floe_duplicate", "the same stands here twice", {"places": places})


Distinct: TypeAlias = Annotated[
    tuple[T, ...], AfterValidator(_distinct), Field(json_schema_extra={"uniqueItems": True})
]
"""A list in which nothing stands twice."""
Named: TypeAlias = Annotated[
    tuple[T, ...], AfterValidator(_distinct_names), Field(json_schema_extra={CHECK: "names are unique"})
]
"""A list of parts that have a `name`, no two of them the same."""
SomeNamed: TypeAlias = Annotated[
    tuple[T, ...],
    Field(min_length=1),
    AfterValidator(_distinct_names),
    Field(json_schema_extra={CHECK: "names are unique"}),
]
"""As `Named`, and at least one."""


# The keys of a map of settings for each environment. The platform is chosen when a product runs, not written into it.
ENVIRONMENT_KEYS = frozenset(
    {"env_overrides", "environments", "target_env", "floe_env", "dev", "staging", "prod", "production"}
)


def _no_environments(config: dict[str, Any]) -> dict[str, Any]:
    if found := [key for key in config if key in ENVIRONMENT_KEYS]:
        raise PydanticCustomError(
            "floe_environment", "settings by environment", {"places": [((key,), 0) for key in found]}
        )
    return config


Config: TypeAlias = Annotated[
    dict[str, Any],
    AfterValidator(_no_environments),
    Field(
        description="settings of a plugin, by name",
        json_schema_extra={"propertyNames": {"not": {"enum": sorted(ENVIRONMENT_KEYS)}}},
    ),
]
"""Settings that a plugin's own model checks; no settings by environment."""

"""What all models of written files share: frozen, unknown fields refused, and the kinds of names."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

API_VERSION = "floe.dev/v1"


class SpecModel(BaseModel):
    """A part of a written file."""

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

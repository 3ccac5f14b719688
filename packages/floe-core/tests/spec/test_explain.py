"""Problems of a plugin's configuration: models that we have not written, with unions, roots and long mistakes."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from floe_core.spec import Problem, problems
from floe_core.spec.explain import NEARBY, explain
from floe_core.spec.source import Source
from floe_core.spec.yamltree import parse
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Files(Part):
    """Files below a folder."""

    kind: Literal["files"]
    folder: Annotated[str, Field(description="a folder", examples=["landing"])]
    suffix: str = ".csv"


class Rest(Part):
    """Answers of a server."""

    kind: Literal["rest"]
    pages: Annotated[int, Field(ge=1)] = 1


class Origin(RootModel[Annotated[Files | Rest, Field(discriminator="kind")]]):
    """Where rows come from."""


class Settings(Part):
    """How rows are read."""

    origin: Annotated[Files | Rest, Field(discriminator="kind")]
    low: int = 0
    high: int = 0

    @model_validator(mode="after")
    def _in_order(self) -> Settings:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Opaque:
    """A type that pydantic takes as it is."""


BASE = ("config",)


def told(text: str, model: type[BaseModel] = Settings) -> list[Problem]:
    source = Source("a.yaml", parse(f"config: {text}".encode()))
    with pytest.raises(ValidationError) as caught:
        model.model_validate(source.root.plain()["config"])
    return explain(caught.value, source, model, base=BASE, code=problems.PLUGIN_CONFIG)


@pytest.mark.parametrize(
    ("text", "model", "field", "column", "near", "remedy"),
    [
        ("{folder: a}", Origin, "config", 9, "", "add kind: files or rest"),
        ("{origin: {folder: a}}", Settings, "config.origin", 18, "", "add kind: files or rest"),
        ("{kind: fils, folder: a}", Origin, "config.kind", 16, "files", "write one of: files, rest"),
        ("{kind: files}", Origin, "config.folder", 9, "", "add folder: landing"),
        ("{kind: files, folder: 3}", Origin, "config.folder", 31, "", 'quote it: "3"'),
        ("{kind: files, folder: []}", Origin, "config.folder", 31, "", "write a folder, for example landing"),
        ("{kind: rest, pags: 1}", Origin, "config.pags", 22, "pages", "the fields here are: kind, pages"),
        (
            "{kind: files, folder: a, host: b}",
            Origin,
            "config.host",
            34,
            "",
            "the fields here are: kind, folder, suffix",
        ),
        ("{kind: rest, pages: 0}", Origin, "config.pages", 29, "", "write a number, at least 1"),
        ("{origin: {kind: rest}, low: 1}", Settings, "config", 9, "", "correct the value"),
    ],
)
def test_a_mistake_in_a_plugins_settings(  # noqa: PLR0913, PLR0917 - one row of the table
    text: str, model: type[BaseModel], field: str, column: int, near: str, remedy: str
) -> None:
    (problem,) = told(text, model)
    assert (problem.code, problem.field, problem.column) == ("FLOE-E202", field, column)
    assert (problem.nearest, problem.remedy) == (near, remedy)


def test_near_names_are_looked_for_as_long_as_somebody_reads() -> None:
    many = told("{origin: {kind: rest}, " + ", ".join(f"hgh{number}: 1" for number in range(NEARBY + 5)) + "}")
    assert [bool(problem.nearest) for problem in many] == [True] * NEARBY + [False] * 5


def test_a_model_that_json_schema_cannot_describe_is_explained_without_it() -> None:
    class Odd(Part):
        model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        thing: Opaque | None = None

    (problem,) = told("{thng: 1}", Odd)
    assert (problem.field, problem.remedy) == ("config.thng", "remove it")

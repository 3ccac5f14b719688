"""JSON Schemas of our models: what pydantic gives, exact about the names of mappings, and told in full to editors."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

_ATTRIBUTE = re.compile(r"(?P<name>\w+): (?P<text>.*)")


class ExactJsonSchema(GenerateJsonSchema):
    """Pydantic's generator; a mapping whose names have a pattern refuses other names."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Pydantic says `patternProperties`, which lets every other name pass unseen."""
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made["propertyNames"] = {**made.get("propertyNames", {}), "pattern": pattern}
            made["additionalProperties"] = values
        return made


class EditorJsonSchema(ExactJsonSchema):
    """Also tells what each field is for, from the `Attributes:` of the models' docstrings."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """The model's own sentences as its description, the words of its attributes at its properties."""
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        made["description"] = _lead(model)
        told = attributes(model)
        for name, field in model.model_fields.items():
            place = made.get("properties", {}).get(field.alias or name)
            if place is not None and name in told:
                form = place.get("description")
                place["description"] = f"{told[name]} Form: {form}." if form else told[name]
        return made


def attributes(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of `model` and its bases say of its attributes, by name."""
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        name = ""
        for line in inspect.cleandoc(base.__dict__.get("__doc__") or "").partition("Attributes:\n")[2].splitlines():
            words, depth = line.strip(), len(line) - len(line.lstrip())
            match = _ATTRIBUTE.match(words)
            if match and depth == _DEPTH:
                name = match["name"]
                told[name] = match["text"]
            elif words and name and depth > _DEPTH:
                told[name] += f" {words}"
    return told


_DEPTH = 4
"""Columns by which Google's style indents the names of attributes."""


def _lead(model: type[BaseModel]) -> str:
    """The first paragraph; what follows is for those who read the code."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0].split())


def exact(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of `model` with the names as they are written in files."""
    return model.model_json_schema(by_alias=True, schema_generator=ExactJsonSchema)

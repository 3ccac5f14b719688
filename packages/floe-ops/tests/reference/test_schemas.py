"""The pages of the two files that people write."""

from __future__ import annotations

import pytest
from floe_core.cli.schema_command import json_schema
from floe_ops.reference import schemas

PAGES = [("product", schemas.product), ("manifest", schemas.manifest)]


@pytest.mark.parametrize(("kind", "make"), PAGES)
def test_every_field_of_the_schema_has_its_row(kind: str, make: object) -> None:
    assert callable(make)
    page = str(make())
    definitions = json_schema(kind).get("$defs", {})
    assert isinstance(definitions, dict)
    for name, schema in definitions.items():
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        for field in schema.get("properties", {}):
            assert f"| `{field}` |" in section, f"{name}.{field}"


def test_a_row_says_type_need_and_bounds() -> None:
    schema = {
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How large."},
            "names": {"type": "array", "items": {"$ref": "#/$defs/Name"}, "default": []},
            "level": {"anyOf": [{"$ref": "#/$defs/Level"}, {"type": "null"}], "default": None},
            "map": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
            "on": {"type": "boolean", "default": True},
        },
    }
    assert list(schemas.model_rows(schema)) == [
        ("`size`", "integer", "needed", "How large; from 1; to 9"),
        ("`names`", "list of `Name`", "", ""),
        ("`level`", "`Level`", "", ""),
        ("`map`", "mapping to text", "", ""),
        ("`on`", "boolean", "`true`", ""),
    ]

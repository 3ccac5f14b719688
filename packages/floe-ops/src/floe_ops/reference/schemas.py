"""Reference of the two files that people write, from their JSON Schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from floe_ops.reference.markdown import code, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]
_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minimum": "from {}",
    "maximum": "to {}",
}


def product() -> str:
    """The page of `floe.yaml`."""
    return _page("product", "floe.yaml", "What a data team writes: the product.")


def manifest() -> str:
    """The page of `manifest.yaml`."""
    return _page("manifest", "manifest.yaml", "What a platform team writes: the platform.")


def model_rows(schema: Schema) -> Iterator[tuple[str, str, str, str]]:
    """Field, type, need and meaning of each property of one object, in the order of the schema."""
    needed = set(schema.get("required", ()))
    for name, place in schema.get("properties", {}).items():
        yield code(name), _type(place), "needed" if name in needed else _default(place), _meaning(place)


def _page(kind: str, file: str, lead: str) -> str:
    from floe_core.cli.schema_command import json_schema

    root: Schema = json_schema(kind)
    definitions: Mapping[str, Schema] = root.get("$defs", {})
    lines = [
        f"# `{file}`",
        "",
        f"{lead} Generated from the schema (`invoke final.docs --write`; `floe schema {kind}` prints it for editors).",
        "A field that is not listed is refused. Secrets are written as references only.",
    ]
    # A root that is one of two forms (a manifest of its own, or a domain's) has its fields in those.
    whole = {} if "then" in root else {"": root}
    objects = {**whole, **{name: one for name, one in definitions.items() if "properties" in one}}
    for name, schema in objects.items():
        lines += ["", f"## {name}" if name else "## The whole file", ""]
        lines += [_first(schema.get("description", "")), ""] if schema.get("description") else []
        lines += table(["field", "type", "default", "what"], model_rows(schema))
    words = {name: one["enum"] for name, one in definitions.items() if "enum" in one}
    if words:
        lines += ["", "## Words", ""]
        rows = ((code(name), ", ".join(code(str(word)) for word in valid)) for name, valid in words.items())
        lines += table(["type", "valid words"], rows)
    return "\n".join(lines) + "\n"


def _type(place: Schema) -> str:
    if "$ref" in place:
        return code(str(place["$ref"]).rpartition("/")[2])
    if "const" in place:
        return code(str(place["const"]))
    for union in ("anyOf", "oneOf", "allOf"):
        if union in place:
            told = [_type(one) for one in place[union] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(told))
    kind = str(place.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(place.get('items', {}))}"
    inner = place.get("additionalProperties")
    if kind == "object" and isinstance(inner, dict) and inner:
        return f"mapping to {_type(inner)}"
    return {"object": "mapping", "string": "text"}.get(kind, kind)


def _default(place: Schema) -> str:
    if place.get("default") in (None, "", [], {}):
        return ""
    if isinstance(place["default"], dict):
        return "as below"
    return code(json.dumps(place["default"], ensure_ascii=False).strip('"'))


def _meaning(place: Schema) -> str:
    inner: Schema = next((one for one in place.get("anyOf", ()) if one.get("type") != "null"), {})
    both = {**inner, **place}
    parts = [str(both.get("description", ""))]
    parts += [words.format(both[key]) for key, words in _BOUNDS.items() if key in both]
    if "pattern" in both:
        parts.append(f"pattern {code(str(both['pattern']))}")
    if "x-floe-check" in both:
        parts.append(str(both["x-floe-check"]))
    if both.get("examples"):
        parts.append(f"example {code(str(both['examples'][0]))}")
    return "; ".join(part.rstrip(".") for part in parts if part)


def _first(description: str) -> str:
    return " ".join(description.partition("\n\n")[0].split())

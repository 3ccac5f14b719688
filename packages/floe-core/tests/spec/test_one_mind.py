"""The JSON Schemas and the models are of one mind.

Whatever the schemas take the models take, but for the rules that JSON Schema has no word for; those are listed.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
import pytest
from floe_core import schemas
from floe_core.spec import Problem
from hypothesis import given, settings
from hypothesis import strategies as st

Judge = Callable[[bytes, str], tuple[Problem, ...]]
Strategy = st.SearchStrategy[Any]
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=12)
ANYTHING: Strategy = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | PLAIN | st.lists(PLAIN, max_size=2)

UNSAID: Mapping[str, str] = {
    "FLOE-E102": "no value is a credential",
    "FLOE-E103": "five cron fields that are due some day",
    "FLOE-E104": "a time zone that exists",
    "FLOE-E105": "names are unique",
}
"""The rules that JSON Schema has no word for, by the code of the problem; the schemas name them as `x-floe-check`."""

PATTERN_UNSAID = "it compiles as a regular expression"
WRITTEN = string.ascii_letters + string.digits + "._-/+"


def of_schema(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Strategy:
    """Values that a part of a schema takes, as far as this simple reading of it goes; the validator has the word."""
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        return st.deferred(lambda: of_schema(definitions[name], definitions))
    if "anyOf" in node:
        return st.one_of([of_schema(branch, definitions) for branch in node["anyOf"]])
    words = [node["const"]] if "const" in node else node.get("enum")
    return st.sampled_from(words) if words else of_type(node, definitions)


def of_type(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Strategy:
    made: Strategy
    match node.get("type"):
        case "object":
            made = objects(node, definitions)
        case "array":
            unique = json.dumps if node.get("uniqueItems") else None
            items = of_schema(node["items"], definitions)
            made = st.lists(items, min_size=node.get("minItems", 0), max_size=3, unique_by=unique)
        case "string":
            made = texts(node)
        case "integer":
            made = st.integers(node["minimum"], node["maximum"])
        case "boolean":
            made = st.booleans()
        case "null":
            made = st.none()
        case _:
            made = ANYTHING
    return made


def texts(node: Mapping[str, Any]) -> st.SearchStrategy[str]:
    examples = st.sampled_from(node["examples"]) if node.get("examples") else st.nothing()
    if "pattern" in node:
        made = st.from_regex(node["pattern"], alphabet=WRITTEN, fullmatch=True)
        return examples | made.filter(lambda text: len(text) <= node.get("maxLength", 100))
    return examples | PLAIN.filter(lambda text: len(text) >= node.get("minLength", 0))


def objects(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in node:
        names = of_schema({"type": "string", **node.get("propertyNames", {})}, definitions)
        inner = node.get("additionalProperties")
        values = of_schema(inner, definitions) if isinstance(inner, dict) else ANYTHING
        return st.dictionaries(names, values, max_size=2)
    parts = {name: of_schema(place, definitions) for name, place in node["properties"].items()}
    if "maxProperties" in node:
        return st.sampled_from(sorted(parts)).flatmap(lambda name: st.fixed_dictionaries({name: parts[name]}))
    needed = {name: parts.pop(name) for name in node.get("required", ())}
    return st.fixed_dictionaries(needed, optional=parts)


@cache
def taken_by_the_schema(kind: str, name: str) -> tuple[Strategy, jsonschema.Draft202012Validator]:
    schema = schemas.made(kind)
    validator = jsonschema.Draft202012Validator(schema)
    root = schema["$defs"][name] if name else schema
    return of_schema(root, schema["$defs"]).filter(validator.is_valid), validator


WHOLE = [("product", ""), ("manifest", "PlatformManifest"), ("manifest", "DomainManifest")]


@pytest.mark.parametrize(("kind", "name"), WHOLE)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_the_schema_takes_the_models_take(judge: Judge, kind: str, name: str, data: st.DataObject) -> None:
    strategy, _ = taken_by_the_schema(kind, name)
    tree = data.draw(strategy)
    for problem in judge(json.dumps(tree, ensure_ascii=False).encode(), kind):
        unsaid = problem.code in UNSAID or "regular expression" in problem.reason
        assert unsaid, f"the schema takes what the models refuse: {problem}\n{json.dumps(tree)}"


def checks_named(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "x-floe-check" in node:
            yield node["x-floe-check"]
        for inner in node.values():
            yield from checks_named(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from checks_named(inner)


def test_the_exceptions_are_those_that_the_schemas_name() -> None:
    named = {check for kind in ("product", "manifest") for check in checks_named(schemas.made(kind))}
    assert named == {*UNSAID.values(), PATTERN_UNSAID}

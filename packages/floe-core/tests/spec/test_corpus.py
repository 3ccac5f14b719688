"""The corpus: whole files, each wrong in one way, each with the code, the place and the remedy that must be told.

A case is a file below `tests/corpus`. Its first comment lines say what is expected:

    # expect: FLOE-E101 at 12:9      the code, and line:column; `at -` where the problem has no place
    # nearest: silver                the nearest valid name; without the line none may be told
    # remedy: write one of           how the remedy begins
    # rule: Tier.enum                the rules of the JSON Schemas that it breaks
    # file: product.yaml             where the place lies, when in another file of the corpus
    # with: ingesting.yaml           what it is tried with instead of the usual file; `its own` is what it names

Products are compiled for the corpus's `manifest.yaml`, manifests are tried with its `product.yaml`. A folder in
`dbt/` is a product with its dbt project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from floe_core import schemas
from floe_core.cli import main
from floe_core.compilation import compile_product
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry
from floe_core.registry.discovery import discover
from floe_core.spec import SpecError, problems

CORPUS = Path(__file__).parent.parent / "corpus"
HEADER = re.compile(r"# (?P<key>expect|nearest|remedy|rule|file|with): ?(?P<value>.*)")
EXPECT = re.compile(r"(?P<code>FLOE-E[0-9]{3}) at (?P<place>[0-9]+:[0-9]+|-)")

BROKEN = PluginEntry(PluginType.COMPUTE, "broken", "no_such_module:Plugin", "floe-compute-broken", "0.1.0")
"""A plugin that is declared and cannot be imported, for the cases that choose it."""
ENTRIES = (*discover(), BROKEN)


@dataclass(frozen=True)
class Case:
    """One wrong file and what is expected of it."""

    path: Path
    code: str
    place: str
    nearest: str
    remedy: str
    rules: tuple[str, ...]
    file: Path
    product: Path
    manifest: Path | None


def read(path: Path) -> Case:
    """The case in `path`; its header ends where the first line is none."""
    told: dict[str, str] = {}
    for line in path.read_bytes().decode("utf-8", "replace").splitlines():
        if not line.startswith("#"):
            break
        if match := HEADER.match(line):
            told[match["key"]] = match["value"].strip()
    expected = EXPECT.fullmatch(told["expect"])
    assert expected, f"{path.name}: {told['expect']!r} is no expectation"
    rules = tuple(rule.strip() for rule in told.get("rule", "").split(",") if rule.strip())
    file = CORPUS / told["file"] if "file" in told else path
    # In `policies/` a file's own kind decides, elsewhere its folder: a kind may be what is wrong.
    is_manifest = path.parent.name == "manifest" or (
        path.parent.name == "policies" and b"\nkind: Manifest" in path.read_bytes()
    )
    usual = "product.yaml" if is_manifest else "manifest.yaml"
    other = None if told.get("with") == "its own" else CORPUS / told.get("with", usual)
    product, manifest = (CORPUS / "product.yaml" if other is None else other, path) if is_manifest else (path, other)
    nearest, remedy = told.get("nearest", ""), told["remedy"]
    return Case(path, expected["code"], expected["place"], nearest, remedy, rules, file, product, manifest)


CASES = [read(path) for path in sorted([*CORPUS.glob("*/*.yaml"), *CORPUS.glob("dbt/*/floe.yaml")])]


def found(case: Case) -> SpecError:
    """What compiling says of the case."""
    with pytest.raises(SpecError) as caught:
        compile_product(case.product, case.manifest, registry=Registry(ENTRIES))
    return caught.value


def title(case: Case) -> str:
    return str(case.path.relative_to(CORPUS).with_suffix("")).removesuffix("/floe")


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_wrong_file_is_told_its_place_and_its_remedy(case: Case) -> None:
    told = found(case).problems
    (problem,) = told
    line, _, column = ("0", "", "0") if case.place == "-" else case.place.partition(":")
    assert (problem.code, problem.line, problem.column) == (case.code, int(line), int(column)), str(problem)
    assert Path(problem.file).resolve() == case.file.resolve()
    assert problem.nearest == case.nearest, str(problem)
    assert problem.remedy.startswith(case.remedy), problem.remedy
    assert case.remedy, "every problem says what to do"
    assert "planted-" not in f"{problem} {json.dumps(problem.as_dict())}"


@pytest.mark.parametrize("name", [path.name for path in sorted(CORPUS.glob("*.yaml"))])
def test_the_files_that_cases_are_tried_with_are_sound(name: str) -> None:
    """A case proves nothing when the other file is wrong."""
    kind = "product" if name == "product.yaml" else "manifest"
    product = CORPUS / (name if kind == "product" else "product.yaml")
    manifest = CORPUS / (name if kind == "manifest" else "manifest.yaml")
    done = CliRunner().invoke(main, ["validate", str(product), "--manifest", str(manifest)])
    assert done.exit_code == 0, done.output


KEYWORDS = (
    "const",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "x-floe-check",
)

UNBREAKABLE: Mapping[str, str] = {
    "DomainManifest.required.scope": "a manifest without `scope: domain` is read as another kind of manifest",
    "DomainManifest.scope.const": "a manifest with another scope is read as another kind of manifest",
}


def rules_of(where: str, node: Mapping[str, Any]) -> Iterator[str]:
    """Every rule that one part of a JSON Schema states, named by place and keyword."""
    yield from (f"{where}.{keyword}" for keyword in KEYWORDS if keyword in node)
    yield from (f"{where}.required.{name}" for name in node.get("required", ()))
    yield from (f"type.{node['type']}" for _ in "1" if node.get("type", "null") != "null")
    for name, place in node.get("properties", {}).items():
        yield from rules_of(f"{where}.{name}", place)
    for branch in node.get("anyOf", ()):
        yield from rules_of(where, branch)
    match node.get("additionalProperties"):
        case False:
            yield f"{where}.additionalProperties"
        case dict() as values:
            yield from rules_of(f"{where}.*", values)
    if "items" in node:
        yield from rules_of(f"{where}[]", node["items"])
    if "not" in node.get("propertyNames", {}):
        yield f"{where}.propertyNames.not"
    elif "propertyNames" in node:
        yield from rules_of(f"{where}.propertyNames", node["propertyNames"])
    if "properties" in node.get("then", {}):
        yield f"{where}.then"


def all_rules() -> set[str]:
    rules: set[str] = set()
    for kind, name in (("product", "FloeSpec"), ("manifest", "Manifest")):
        schema = schemas.made(kind)
        definitions = schema.pop("$defs")
        for place, node in {name: schema, **definitions}.items():
            rules |= set(rules_of(place, node))
    return rules


def test_every_rule_of_the_schemas_has_a_file_that_breaks_it() -> None:
    broken = {rule for case in CASES for rule in case.rules}
    known = all_rules()
    assert sorted(known - broken - set(UNBREAKABLE)) == []
    assert sorted(broken - known) == [], "cases name rules that the schemas do not have"
    assert sorted(set(UNBREAKABLE) - known) == [], "exceptions name rules that the schemas do not have"


ELSEWHERE: Mapping[str, str] = {
    "FLOE-E215": "needs a plugin that depends on another type",
}


def test_every_code_of_reading_schema_and_plugins_has_a_file() -> None:
    codes = {value for name, value in vars(problems).items() if name.isupper() and isinstance(value, str)}
    wanted = {code for code in codes if re.fullmatch(r"FLOE-E[012]\d\d", code)}
    assert sorted(wanted - {case.code for case in CASES} - set(ELSEWHERE)) == []


def test_each_case_is_wrong_in_its_own_way() -> None:
    bodies: dict[bytes, str] = {}
    for case in CASES:
        body = b"\n".join(line for line in case.path.read_bytes().splitlines() if not line.startswith(b"#"))
        assert body not in bodies, f"{title(case)} and {bodies[body]} are the same file"
        bodies[body] = title(case)

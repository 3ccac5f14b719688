"""The checked-in JSON Schemas: equal to the code, sound, telling, and of one mind with the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from floe_core import schemas
from floe_core.cli import main
from floe_core.spec import yamltree

REPOSITORY = Path(__file__).parents[4]
TESTS = REPOSITORY / "packages" / "floe-core" / "tests"
CORPUS = TESTS / "corpus"
KINDS = tuple(schemas.TITLES)


def files(kind: str) -> list[Path]:
    """The sound files of one kind in this repository."""
    sound = {path.name: path for path in CORPUS.glob("*.yaml")}
    if kind == "product":
        return [*REPOSITORY.glob("demo/*/floe.yaml"), TESTS / "data" / "orders" / "floe.yaml", sound["product.yaml"]]
    manifests = [REPOSITORY / "demo" / "manifest.yaml", TESTS / "data" / "manifest.yaml"]
    return [*manifests, *(path for name, path in sound.items() if name != "product.yaml")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_checked_in_schema_is_the_one_that_the_code_makes(kind: str) -> None:
    assert schemas.checked_in(kind).read_text(encoding="utf-8") == schemas.text(kind), (
        "run `floe schema --write packages/floe-core/src/floe_core/schemas`"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_sound_and_names_itself(kind: str) -> None:
    schema = schemas.made(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/{kind}.schema.json")
    assert schema["title"] == schemas.TITLES[kind]


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind in ("product", "manifest") for path in files(kind)], ids=str
)
def test_the_files_of_this_repository_are_valid(kind: str, path: Path) -> None:
    content = yamltree.parse(path.read_bytes()).plain()
    jsonschema.validate(content, schemas.made(kind))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "no_such_field": 1}, schemas.made(kind))


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, definition in {"": schema, **schema["$defs"]}.items():
        for field, place in definition.get("properties", {}).items():
            yield f"{name}.{field}", place


@pytest.mark.parametrize("kind", ["product", "manifest"])
def test_every_field_tells_an_editor_what_it_is_for(kind: str) -> None:
    assert [where for where, place in properties(schemas.made(kind)) if not place.get("description")] == []


def test_an_example_of_a_form_has_that_form() -> None:
    for kind in ("product", "manifest"):
        for where, place in properties(schemas.made(kind)):
            for example in place.get("examples", ()):
                validator = jsonschema.Draft202012Validator({**place, "$defs": schemas.made(kind)["$defs"]})
                assert validator.is_valid(example), where


def test_the_line_for_editors_names_a_schema_that_is_there() -> None:
    """Where a file of this repository names a schema, the path leads from that file to a checked-in one."""
    checked_in = {Path(str(schemas.checked_in(kind))).resolve() for kind in KINDS}
    seen = set()
    for kind in ("product", "manifest"):
        for path in files(kind):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("# yaml-language-server:"):
                    named = (path.parent / line.partition("$schema=")[2].strip()).resolve()
                    assert named in checked_in, f"{path}: {named}"
                    assert named.name == f"{kind}.schema.json"
                    seen.add(kind)
    assert seen == {"product", "manifest"}


def floe(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["schema", *map(str, words)])
    return done.exit_code, done.output


def test_the_command_prints_writes_and_checks(tmp_path: Path) -> None:
    assert json.loads(floe("product")[1]) == schemas.made("product")
    folder = tmp_path / "schemas"
    assert floe("--check", folder)[0] == 4
    assert floe("--write", folder)[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{kind}.schema.json" for kind in KINDS)
    assert floe("--check", folder)[0] == 0
    (folder / "manifest.schema.json").write_text("{}")
    code, told = floe("--check", folder)
    assert code == 4
    assert "manifest.schema.json" in told
    assert f"floe schema --write {folder}" in told
    assert floe("product", "--check", folder)[0] == 0


def test_the_command_without_words_says_what_it_takes() -> None:
    code, told = floe()
    assert code == 2
    assert "product, manifest, artifacts" in told


SAID = (b"FLOE-E101", b"FLOE-E105", b"FLOE-E106", b"FLOE-E107")
"""Codes of rules that JSON Schema can say."""


def test_a_schema_says_of_the_corpus_what_the_models_say() -> None:
    """What the schema can say it does say: of cases that break only such rules, it takes none."""
    taken = []
    for kind in ("product", "manifest"):
        validator = jsonschema.Draft202012Validator(schemas.made(kind))
        for path in sorted((CORPUS / kind).glob("*.yaml")):
            text = path.read_bytes()
            header = b"".join(line for line in text.splitlines() if line.startswith(b"#"))
            if any(code in header for code in SAID) and b"x-floe-check" not in header:
                content = yamltree.parse(text).plain()
                taken += [path.name] if validator.is_valid(content) else []
    assert taken == []


def test_numbers_and_words_are_read_as_the_schema_reads_them() -> None:
    """Editors read YAML 1.2; PyYAML's own loader would take `off` for a truth value."""
    text = b"governance: {policy_enforcement_level: off}\n"
    assert yamltree.parse(text).plain() == {"governance": {"policy_enforcement_level": "off"}}
    assert yaml.safe_load(text) != yamltree.parse(text).plain()

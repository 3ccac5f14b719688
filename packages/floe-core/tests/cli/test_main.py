"""The command line, as people call it: words, exit codes, JSON, and what it costs to start."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from floe_core.cli import main
from floe_core.cli.main import COMMANDS

Edit = Callable[[Path, str, str], None]


def floe(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_help_names_every_command_with_its_line() -> None:
    told = floe("--help").output
    assert all(f"{name}" in told and line in told for name, line in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(name: str) -> None:
    done = floe(name, "--help")
    assert done.exit_code == 0
    assert f"Usage: main {name}" in done.output or f"Usage: floe {name}" in done.output


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    done = floe("vaildate")
    assert done.exit_code == 2
    assert "did you mean validate?" in done.output


IMPORTED = """
import sys
from floe_core.cli import main
main(sys.argv[1:], standalone_mode=False)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported_by(*words: str | Path) -> set[str]:
    """Top-level modules of a fresh interpreter that ran the command."""
    program = [sys.executable, "-c", IMPORTED, *words]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_no_model_and_no_yaml() -> None:
    assert not {"pydantic", "yaml", "opentelemetry", "rich"} & imported_by("--help")


def test_compiling_imports_no_engine(example: Path) -> None:
    heavy = {"dbt", "dagster", "duckdb", "pyiceberg", "boto3", "requests", "rich"}
    assert not heavy & imported_by("validate", example / "orders")


def test_compile_writes_into_the_product(example: Path) -> None:
    done = floe("compile", example / "orders")
    assert done.exit_code == 0, done.output
    kept = json.loads((example / "orders" / "target" / "compiled_artifacts.json").read_text())
    assert kept["metadata"]["product_name"] == "orders"
    assert "3 models" in done.output


def test_compile_to_standard_output_is_the_artifacts_and_nothing_else(example: Path) -> None:
    done = floe("compile", example / "orders", "--output", "-")
    assert json.loads(done.stdout)["enforcement_result"]["passed"] is True
    assert not (example / "orders" / "target").exists()


def test_validate_writes_nothing(example: Path) -> None:
    before = sorted(example.rglob("*"))
    done = floe("validate", example / "orders")
    assert done.exit_code == 0
    told = {line for line in done.output.splitlines() if "not checked" in line}
    assert any("no dbt project" in line and "model_descriptions" in line for line in told)
    assert any("does not ask" in line and "approved_plugins" in line for line in told)
    assert len(told) == len({line.partition(":")[0] for line in told}), "a reason is told once"
    assert sorted(example.rglob("*")) == before


def test_another_manifest_can_be_named(example: Path) -> None:
    (example / "manifest.yaml").rename(example / "other.yaml")
    assert floe("validate", example / "orders").exit_code == 2
    assert floe("validate", example / "orders", "--manifest", example / "other.yaml").exit_code == 0


def test_what_is_wrong_is_told_with_place_and_code(example: Path, edit: Edit) -> None:
    edit(example / "orders" / "floe.yaml", "tier: gold", "tier: golden")
    done = floe("validate", example / "orders")
    assert done.exit_code == 4
    assert f"{example}/orders/floe.yaml:18:11  FLOE-E101" in done.stderr
    assert "did you mean gold?" in done.stderr
    as_json = json.loads(floe("validate", example / "orders", "--json").stdout)
    assert (as_json["ok"], as_json["exit_code"], as_json["problems"][0]["line"]) == (False, 4, 18)


def test_a_missing_product_is_a_matter_of_usage(tmp_path: Path) -> None:
    done = floe("compile", tmp_path / "nothing")
    assert done.exit_code == 2
    assert "no such file" in done.stderr


def test_json_tells_the_verdict(example: Path) -> None:
    for command in ("validate", "compile"):
        told = json.loads(floe(command, example / "orders", "--json").stdout)
        assert told["ok"] is True
        assert told["enforcement_result"]["models_validated"] == 3


@pytest.mark.parametrize(("kind", "file"), [("product", "orders/floe.yaml"), ("manifest", "manifest.yaml")])
def test_the_schemas_take_what_the_models_take(example: Path, kind: str, file: str) -> None:
    schema = json.loads(floe("schema", kind).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    content = yaml.safe_load((example / file).read_text())
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "no_such_field": 1}, schema)


def test_the_schema_of_artifacts_takes_artifacts(example: Path) -> None:
    kept = json.loads(floe("compile", example / "orders", "--output", "-").stdout)
    jsonschema.validate(kept, json.loads(floe("schema", "artifacts").stdout))

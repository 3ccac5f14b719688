from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from floe_core.compilation import CompiledArtifacts, compile_product
from floe_core.errors import UsageError, WrongStateError
from floe_core.spec import Problem, SpecError

Edit = Callable[[Path, str, str], None]


def refused(example: Path, manifest: Path | None = None) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        compile_product(example / "orders", manifest)
    return caught.value.problems


def test_the_artifacts_hold_what_running_needs(example: Path) -> None:
    made = compile_product(example / "orders")
    assert [model.name for model in made.models] == ["bronze_orders", "silver_orders", "gold_orders_by_day"]
    assert made.models[2].depends_on == ("silver_orders",)
    assert {model.compute for model in made.models} == {"duckdb"}
    assert made.schedule is not None
    assert (made.schedule.cron, made.schedule.timezone) == ("30 5 * * *", "Europe/Berlin")
    assert set(made.dbt_profiles["orders"]["outputs"]) == {"duckdb", "iceberg"}
    assert made.output_ports[0].owner == "sales-data"
    assert made.plugins["compute"].config["threads"] == 4
    assert made.plugins["compute"].version == "0.1.0"


@pytest.mark.requirement("WU6-AC5")
def test_the_verdict_reaches_the_artifacts(example: Path, edit: Edit) -> None:
    edit(example / "orders" / "floe.yaml", "  owner: sales-data\n", "")
    verdict = compile_product(example / "orders").enforcement_result
    assert (verdict.passed, verdict.warning_count, verdict.models_validated) == (True, 1, 3)
    assert [finding.policy_type for finding in verdict.findings] == ["ownership"]


@pytest.mark.requirement("WU6-BC3")
def test_artifacts_without_a_verdict_cannot_be(example: Path) -> None:
    kept = json.loads(compile_product(example / "orders").to_json())
    for broken in ({**kept, "enforcement_result": None}, {k: v for k, v in kept.items() if k != "enforcement_result"}):
        with pytest.raises(ValueError, match="enforcement_result"):
            CompiledArtifacts.model_validate(broken)


def test_artifacts_read_back_as_themselves(example: Path) -> None:
    made = compile_product(example / "orders")
    assert CompiledArtifacts.model_validate_json(made.to_json()) == made


def test_equal_input_gives_equal_bytes_everywhere(example: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.json"
    compile_product(example / "orders", output=first)
    example.rename(tmp_path / "moved")
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    call = "from floe_core.cli import main; main(['compile', 'moved/orders', '--output', 'second.json'])"
    subprocess.run([sys.executable, "-c", call], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert (tmp_path / "second.json").read_bytes() == first.read_bytes()


def test_the_order_of_fields_in_a_file_does_not_reach_the_artifacts(example: Path) -> None:
    def ordered(value: Any) -> bool:
        if isinstance(value, dict):
            return list(value) == sorted(value) and all(map(ordered, value.values()))
        return not isinstance(value, list) or all(map(ordered, value))

    assert ordered(json.loads(compile_product(example / "orders").to_json()))


def test_the_hash_and_the_bytes_follow_the_input(example: Path, edit: Edit) -> None:
    before = compile_product(example / "orders").metadata.source_hash
    edit(example / "orders" / "floe.yaml", "Orders by day.", "Orders by day!")
    assert compile_product(example / "orders").metadata.source_hash != before


def test_the_time_comes_from_source_date_epoch_only(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert compile_product(example / "orders").metadata.compiled_at is None
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert '"compiled_at": "1970-01-01T00:00:00Z"' in compile_product(example / "orders").to_json()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        compile_product(example / "orders")


def test_secrets_are_kept_as_references_only(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = secrets.token_hex(16)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "POLARIS_CLIENT_SECRET"):
        monkeypatch.setenv(name, value)
    made = compile_product(example / "orders")
    assert value not in made.to_json() + repr(made)
    assert {"env:AWS_ACCESS_KEY_ID", "env:AWS_SECRET_ACCESS_KEY", "env:POLARIS_CLIENT_SECRET"} <= set(
        made.secret_references
    )


def test_without_a_catalog_there_is_no_iceberg_lane(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "  catalog:\n    type: polaris\n    config:\n      warehouse: floe-e2e\n", "")
    assert set(compile_product(example / "orders").dbt_profiles["orders"]["outputs"]) == {"duckdb"}


def test_an_engine_of_the_catalog_alone_has_the_iceberg_lane_as_its_target(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "type: duckdb", "type: spark")
    profile = compile_product(example / "orders").dbt_profiles["orders"]
    assert (profile["target"], set(profile["outputs"])) == ("iceberg", {"iceberg"})


def test_an_engine_of_the_catalog_alone_is_refused_without_one(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "type: duckdb", "type: spark")
    edit(example / "manifest.yaml", "  catalog:\n    type: polaris\n    config:\n      warehouse: floe-e2e\n", "")
    (problem,) = refused(example)
    assert (problem.code, problem.field) == ("FLOE-E401", "plugins.compute")
    assert "plugins.catalog" in problem.remedy


# file, old, new, code, field, nearest
REFUSED = [
    ("manifest.yaml", "type: duckdb", "type: duckbd", "FLOE-E201", "plugins.compute.type", "duckdb"),
    ("manifest.yaml", "type: polaris", "type: glue", "FLOE-E201", "plugins.catalog.type", ""),
    ("manifest.yaml", "threads: 4", "treads: 4", "FLOE-E202", "plugins.compute.config.treads", "threads"),
    ("manifest.yaml", "threads: 4", "threads: 0", "FLOE-E202", "plugins.compute.config.threads", ""),
    ("manifest.yaml", "      bucket: floe-iceberg\n", "", "FLOE-E202", "plugins.storage.config.bucket", ""),
    (
        "manifest.yaml",
        "access_key: {env",
        "access_key: {envv",
        "FLOE-E202",
        "plugins.storage.config.access_key.envv",
        "env",
    ),
    ("manifest.yaml", "type: core", "type: core\n    version: 9.9.9", "FLOE-E207", "plugins.dbt.version", ""),
    ("manifest.yaml", "threads: 4", "path: ':memory:'", "FLOE-E401", "plugins.compute", ""),
    (
        "orders/floe.yaml",
        "[bronze_orders]",
        "[bronze_order]",
        "FLOE-E204",
        "transforms[1].dependsOn[0]",
        "bronze_orders",
    ),
    ("orders/floe.yaml", "[bronze_orders]", "[gold_orders_by_day]", "FLOE-E205", "transforms[1].dependsOn", ""),
    ("orders/floe.yaml", "[bronze_orders]", "[silver_orders]", "FLOE-E205", "transforms[1].dependsOn", ""),
    ("orders/floe.yaml", "tier: bronze", "compute: spark", "FLOE-E206", "transforms[0].compute", ""),
    (
        "orders/floe.yaml",
        "outputPorts:\n  - name: gold_orders_by_day",
        "outputPorts:\n  - name: gold_orders",
        "FLOE-E208",
        "outputPorts[0].name",
        "gold_orders_by_day",
    ),
    (
        "orders/floe.yaml",
        "  - name: silver_orders\n",
        "  - name: bronze_orders\n",
        "FLOE-E105",
        "transforms[1].name",
        "",
    ),
    ("orders/floe.yaml", "manifest: ../manifest.yaml", "manifest: ../manifst.yaml", "FLOE-E001", "", ""),
    ("orders/floe.yaml", "platform:\n  manifest: ../manifest.yaml\n", "", "FLOE-E101", "platform.manifest", ""),
]


@pytest.mark.parametrize(("file", "old", "new", "code", "field", "near"), REFUSED)
def test_what_cannot_run_is_refused_at_its_line(  # noqa: PLR0913, PLR0917 - one row of the table
    example: Path, edit: Edit, file: str, old: str, new: str, code: str, field: str, near: str
) -> None:
    edit(example / file, old, new)
    found = [one for one in refused(example) if (one.code, one.field) == (code, field)]
    assert len(found) == 1, [str(one) for one in refused(example)]
    assert found[0].nearest == near
    assert found[0].remedy
    assert found[0].line > 0 or code == "FLOE-E001"


def test_a_value_that_fits_no_alternative_is_one_problem(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "endpoint: {env: ", "endpoint: {envv: ")
    (found,) = refused(example)
    assert (found.field, found.nearest) == ("plugins.storage.config.endpoint.envv", "env")


def test_problems_of_both_files_are_told_at_once(example: Path, edit: Edit) -> None:
    edit(example / "orders" / "floe.yaml", "tier: gold", "tier: golden")
    edit(example / "manifest.yaml", "type: duckdb", "typ: duckdb")
    files = {Path(one.file).name for one in refused(example, example / "manifest.yaml")}
    assert files == {"floe.yaml", "manifest.yaml"}


def test_nothing_is_written_when_something_is_wrong(example: Path, edit: Edit, tmp_path: Path) -> None:
    output = tmp_path / "out" / "artifacts.json"
    edit(example / "manifest.yaml", "type: duckdb", "type: nothing")
    with pytest.raises(SpecError):
        compile_product(example / "orders", output=output)
    assert not output.parent.exists()


def test_a_place_that_cannot_be_written_is_told_and_left_clean(example: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WrongStateError, match="name another place"):
        compile_product(example / "orders", output=tmp_path / "file" / "artifacts.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WrongStateError):
        compile_product(example / "orders", output=tmp_path / "folder")
    assert {path.name for path in tmp_path.iterdir()} == {"example", "file", "folder"}

"""A run gives the semantic layer its files; a test does not, and what fails here leaves the tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from floe_core.plugins import PluginType
from floe_core.running import Work

if TYPE_CHECKING:
    from tests.running.conftest import Bench

BUILT = {"bronze_orders": "success", "gold_orders_by_day": "success"}


@pytest.fixture
def described(bench: Bench, dbt_files: Callable[..., Path], tmp_path: Path) -> Bench:
    """A bench with the real Cube plugin, whose dbt leaves a manifest in dbt's own shape."""
    (tmp_path / "dbt").mkdir()
    whole = json.loads((dbt_files(tmp_path / "dbt") / "target" / "manifest.json").read_text())
    for key, node in whole["nodes"].items():
        node["unique_id"] = key
        if key.startswith("model."):
            node |= {"schema": "main", "database": "orders", "alias": node["name"]}
            node["relation_name"] = f'"orders"."main"."{node["name"]}"'
            node["columns"]["revenue"]["data_type"] = "double"
            node["columns"]["order_day"]["data_type"] = "date"
            del node["version"], node["latest_version"]
    bench.choose(PluginType.SEMANTIC_LAYER, "cube")
    bench.script(run=BUILT, test={"unique_orders": "pass"}, manifest=json.dumps(whole))
    return bench


def test_cubes_files_are_written_below_the_target_after_a_run(described: Bench) -> None:
    spec = described.product / "floe.yaml"
    spec.write_text(spec.read_text().replace("type: number}", "type: number, classification: pii}"))
    outcome = described.carry_out()
    assert outcome.success, outcome.failure
    assert outcome.semantic
    home = described.product.resolve() / "target" / "semantic"
    names = {str(path.relative_to(home)) for path in outcome.semantic.files}
    assert {"cubes/gold_orders_by_day.yml", "views/gold_orders_by_day_view.yml"} <= names
    assert all(path.is_file() for path in outcome.semantic.files)
    (cube,) = yaml.safe_load((home / "cubes" / "gold_orders_by_day.yml").read_text())["cubes"]
    shown = {one["name"]: one.get("public", True) for one in cube["dimensions"]}
    assert shown == {"order_day": True, "revenue": False}
    assert outcome.steps[-1].name == "semantic"
    told = json.loads(json.dumps(outcome.as_dict()))["semantic"]
    assert sorted(told["files"]) == sorted(str(path) for path in outcome.semantic.files)
    assert described.heard.files == len(told["files"]) > 0
    assert [f"cube: {note}" for note in told["notes"]] == described.heard.notes


def test_a_test_writes_none(described: Bench) -> None:
    outcome = described.carry_out(Work.TEST)
    assert outcome.success
    assert outcome.semantic is None
    assert not (described.product / "target" / "semantic").exists()


def test_a_model_that_cannot_be_expressed_fails_the_run_with_4_after_the_tables_are_built(described: Bench) -> None:
    described.script(run=BUILT, manifest=json.dumps({"metadata": {"dbt_schema_version": "v1"}, "nodes": {}}))
    outcome = described.carry_out()
    assert outcome.failure
    assert int(outcome.exit_code) == 4
    assert {node.status for node in outcome.nodes} == {"success"}
    assert outcome.steps[-1].name == "run"


def test_a_manifest_that_is_none_is_told(described: Bench) -> None:
    described.script(run=BUILT, manifest="[")
    failure = described.carry_out().failure
    assert failure
    assert "dbt left no manifest that can be read" in failure.why
    assert int(failure.exit_code) == 4


def test_a_plugin_that_crashes_is_told_without_its_words(bench: Bench) -> None:
    body = "        def generate(self, request):\n            raise KeyError('planted-value-of-a-secret')\n"
    bench.add(PluginType.SEMANTIC_LAYER, body + "        def datasource(self, request):\n            return {}\n")
    failure = bench.carry_out().failure
    assert failure
    assert "it raised KeyError" in failure.why
    assert "planted" not in str(failure)
    assert int(failure.exit_code) == 4

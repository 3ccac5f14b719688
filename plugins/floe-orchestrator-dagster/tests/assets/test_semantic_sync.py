"""The metrics server's files, written by the real Cube plugin after the marts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from dagster import AssetKey, DagsterInstance
from floe_core.plugins import SemanticResult
from floe_orchestrator_dagster.assets.semantic_sync import _whole
from floe_orchestrator_dagster.loader import load_product_definitions

if TYPE_CHECKING:
    from pathlib import Path

CUBE = AssetKey(["tiny_product", "semantic", "cube"])


@pytest.mark.requirement("WU3-AC10")
@pytest.mark.duckdb
def test_the_files_are_written_after_the_output_ports_and_checked(loading_product: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    repository = load_product_definitions(loading_product, state=state).get_repository_def()
    assert repository.asset_graph.get(CUBE).parent_keys == {AssetKey(["tiny_product", "main", "visitors"])}
    with DagsterInstance.ephemeral() as instance:
        result = repository.get_job("tiny_product_build").execute_in_process(instance=instance)
    (event,) = [one for one in result.get_asset_materialization_events() if one.asset_key == CUBE]
    assert event.materialization.metadata["files"].value == ["cubes/visitors.yml", "views/visitors_view.yml"]
    checks = {one.check_name: one for one in result.get_asset_check_evaluations() if one.asset_key == CUBE}
    assert checks["files_are_whole"].passed
    model = yaml.safe_load((state / "semantic/cubes/visitors.yml").read_text(encoding="utf-8"))
    assert [cube["name"] for cube in model["cubes"]] == ["visitors"]


@pytest.mark.parametrize("text", ["", "cubes: [", None])
def test_a_file_that_is_empty_cut_off_or_gone_fails_the_check(tmp_path: Path, text: str | None) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("cubes: []\n", encoding="utf-8")
    if text is not None:
        bad.write_text(text, encoding="utf-8")
    assert _whole(CUBE, SemanticResult((good,))).passed
    judged = _whole(CUBE, SemanticResult((good, bad)))
    assert not judged.passed
    assert judged.metadata["broken"].value == ["bad.yml"]


def test_no_file_at_all_fails_the_check() -> None:
    assert not _whole(CUBE, SemanticResult(())).passed

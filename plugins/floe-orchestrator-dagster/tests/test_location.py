"""Several products as one code location, one of which may be broken."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest
from dagster import AssetKey, DagsterInstance
from floe_core.plugins.orchestrator import OrchestratorError
from floe_orchestrator_dagster.location import load_location

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def products(make_product: Callable[..., Path], tmp_path: Path) -> Path:
    """Two products that differ in their names."""
    folder = make_product()
    home = tmp_path / "products"
    for name in ("one", "two"):
        shutil.copytree(folder, home / name)
        for file in (home / name / "floe.yaml", home / name / "dbt_project.yml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("tiny-product", name).replace("tiny_product", name), encoding="utf-8")
    return home


def test_each_product_runs_with_its_own_project(products: Path, tmp_path: Path) -> None:
    repository = load_location(products, state=tmp_path / "state").get_repository_def()
    assert {"one_build", "two_build"} <= {job.name for job in repository.get_all_jobs()}
    with DagsterInstance.ephemeral() as instance:
        result = repository.get_job("two_build").execute_in_process(instance=instance)
    assert result.success
    assert (tmp_path / "state/two/two.duckdb").is_file()
    assert not (tmp_path / "state/one/one.duckdb").exists()


def test_a_broken_product_is_told_and_hides_no_other(
    products: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (products / "one/models/dear_things.sql").write_text("select {{ nothing", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        repository = load_location(products, state=tmp_path / "state").get_repository_def()
    assert "two_build" in {job.name for job in repository.get_all_jobs()}
    assert "one_build" not in {job.name for job in repository.get_all_jobs()}
    (broken,) = [spec for spec in repository.asset_graph.asset_nodes if spec.group_name == "could_not_be_loaded"]
    assert broken.key == AssetKey(["one", "could_not_be_loaded"])
    assert "dear_things" in (broken.description or "")
    assert "the product one could not be loaded" in caplog.text


def test_a_manifest_made_beforehand_is_not_parsed_again(products: Path, tmp_path: Path, parsed_once: Path) -> None:
    made = tmp_path / "parsed/two/target/manifest.json"
    made.parent.mkdir(parents=True)
    text = parsed_once.read_text(encoding="utf-8").replace("tiny_product", "two")
    made.write_text(text.replace("dear_things", "made_before"), encoding="utf-8")
    repository = load_location(products, state=tmp_path / "second", parsed=tmp_path / "parsed").get_repository_def()
    assert AssetKey(["two", "main", "made_before"]) in repository.assets_defs_by_key
    assert AssetKey(["one", "main", "dear_things"]) in repository.assets_defs_by_key  # had none made: parsed


def test_no_product_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(OrchestratorError, match="no product to serve"):
        load_location(tmp_path, state=tmp_path / "state")

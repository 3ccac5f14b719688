"""A product's sources, loaded by dlt from real files into a real DuckDB file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from dagster import AssetKey, DagsterInstance, InputContext, IOManager, OutputContext, materialize
from floe_core.plugins import IngestionError, PluginType
from floe_orchestrator_dagster.assets.ingestion import ingestion_assets
from floe_orchestrator_dagster.loader import load_product_definitions
from floe_orchestrator_dagster.product import read_product
from floe_orchestrator_dagster.resources.ingestion import IngestionResource

if TYPE_CHECKING:
    from pathlib import Path

    from floe_orchestrator_dagster.tracing import Tracing

VISITS = AssetKey(["tiny_product", "raw", "visits"])


class Kept(IOManager):
    """Reads each output to its end, as a writer does."""

    def __init__(self) -> None:
        self.tables: dict[AssetKey, Any] = {}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        self.tables[context.asset_key] = obj.read_all()

    def load_input(self, context: InputContext) -> None:
        raise NotImplementedError


@pytest.mark.requirement("WU3-AC10")
@pytest.mark.duckdb
def test_a_source_is_an_asset_that_the_models_which_read_it_depend_on(loading_product: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    repository = load_product_definitions(loading_product, state=state).get_repository_def()
    graph = repository.asset_graph
    assert VISITS in graph.materializable_asset_keys
    assert graph.get(AssetKey(["tiny_product", "main", "visitors"])).parent_keys == {VISITS}
    with DagsterInstance.ephemeral() as instance:
        result = repository.get_job("tiny_product_build").execute_in_process(instance=instance)
    assert result.success
    (event,) = [one for one in result.get_asset_materialization_events() if one.asset_key == VISITS]
    assert event.materialization.metadata["rows_loaded"].value == 3
    with duckdb.connect(str(state / "tiny_product.duckdb"), read_only=True) as database:
        assert database.execute("select * from visitors order by name").fetchall() == [("ann", 2), ("bob", 1)]


def test_in_the_iceberg_lane_the_rows_are_written_to_the_catalog_too(
    loading_product: Path, tmp_path: Path, untraced: Tracing
) -> None:
    product = read_product(loading_product, state=tmp_path / "state", lane="iceberg")
    plugin = product.chosen(PluginType.INGESTION)
    assert plugin is not None
    kept = Kept()
    resources = {
        "tiny_product_ingestion": IngestionResource.of(product, plugin),
        "tiny_product_iceberg_io": kept,
    }
    for _ in range(2):
        result = materialize(ingestion_assets(product, plugin, untraced), resources=resources)
    table = kept.tables[VISITS]
    assert result.success
    # The source appends, so the second load adds its rows, and the table mirrors what has landed.
    assert sorted(table["name"].to_pylist()) == ["ann"] * 4 + ["bob"] * 2
    (definition,) = ingestion_assets(product, plugin, untraced)
    assert definition.metadata_by_key[VISITS]["iceberg/mode"] == "overwrite"


def test_a_source_that_cannot_be_read_fails_its_step_and_names_the_pipeline(
    loading_product: Path, tmp_path: Path
) -> None:
    (loading_product / "landing/day.csv").unlink()
    repository = load_product_definitions(loading_product, state=tmp_path / "state").get_repository_def()
    with DagsterInstance.ephemeral() as instance, pytest.raises(IngestionError, match="visits"):
        repository.get_job("tiny_product_build").execute_in_process(instance=instance)

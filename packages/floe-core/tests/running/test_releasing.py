"""What the catalog has of the output ports: asked by the names that dbt gave them, released once all has passed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import WrongStateError
from floe_core.plugins import Lane, PluginType
from floe_core.running import Work, releasing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running.conftest import Bench

CATALOG = """
        def connect(self, fileio=None):
            raise AssertionError("a build does not connect by itself")
        def create_namespace(self, namespace, properties=None):
            return True
        def list_tables(self, namespace):
            return ()
        def address(self):
            return CatalogAddress("http://c", "w", "me", "{{ env_var('CATALOG_KEY', '') }}", "s")
        def overwrite(self, table, rows, fileio=None):
            raise AssertionError("a build without sources writes no table itself")
        def maintain(self, namespace, keeping, fileio=None, *, dry_run=False):
            raise AssertionError("a build maintains nothing")
        def states(self, tables, fileio=None, *, release=""):
            if pathlib.Path(self.config.folder, "raise").exists():
                raise RuntimeError("password=hunter2")
            with open(self.config.folder + "/states.jsonl", "a") as stream:
                said = {"tables": [".".join(one) for one in tables], "fileio": fileio, "release": release}
                stream.write(json.dumps(said) + chr(10))
            return tuple(TableState(one[-1], 7, 42) for one in tables)
"""
STORAGE = """
        def fileio_properties(self):
            return {"s3.region": "here"}
        def warehouse_uri(self, namespace=""):
            return "s3://b"
        def address(self):
            return StorageAddress("http://s", "here")
"""
ENGINE = """
    from floe_core.plugins import ComputePlugin, Lane, NoConfig

    class Plugin(ComputePlugin[NoConfig]):
        name = "laned"; version = "0.1.0"; floe_api_version = "1.0"; tracer_name = "t"
        adapter = "dbt-laned"; lanes = frozenset(Lane)

        def dbt_target(self, request):
            return {"type": "laned_upon", "schema": "main", "lane": request.lane.value}
"""


def node(name: str, schema: str = "marts", materialized: str = "table", **more: Any) -> dict[str, Any]:
    config = {"materialized": materialized}
    return {"resource_type": "model", "name": name, "schema": schema, "alias": name, "config": config, **more}


def manifest(*nodes: dict[str, Any]) -> str:
    return json.dumps({"nodes": {f"model.orders.{one['name']}": one for one in nodes}})


@pytest.fixture
def lake(bench: Bench) -> Bench:
    """A bench with a catalog and a store, whose engine builds in both lanes."""
    bench.entries.append(bench.write(PluginType.COMPUTE, "laned", ENGINE))
    bench.plugins["compute"] = {"type": "laned"}
    bench.add(PluginType.CATALOG, CATALOG)
    bench.add(PluginType.STORAGE, STORAGE)
    script(bench)
    return bench


def script(bench: Bench, **answers: Any) -> None:
    usual = {
        "seed": {"raw": "success"},
        "run": {"gold_orders_by_day": "success"},
        "test": {"unique_orders": "pass"},
        "manifest": manifest(node("gold_orders_by_day")),
    }
    bench.script(**{**usual, **answers})


def test_a_run_tells_what_the_catalog_has_and_releases_nothing(lake: Bench) -> None:
    outcome = lake.carry_out(lane=Lane.ICEBERG)
    assert outcome.success, outcome.failure
    assert [(one.name, one.rows, one.snapshot_id) for one in outcome.tables] == [("gold_orders_by_day", 7, 42)]
    assert lake.kept("states.jsonl") == [
        {"tables": ["orders.marts.gold_orders_by_day"], "fileio": {"s3.region": "here"}, "release": ""}
    ]
    assert (outcome.released, outcome.as_dict()["tables"][0]["rows"]) == ("", 7)


@pytest.mark.parametrize("work", [Work.TEST, Work.BUILD])
def test_what_passed_its_tests_is_released_as_the_products_version(lake: Bench, work: Work) -> None:
    outcome = lake.carry_out(work, lane=Lane.ICEBERG)
    assert outcome.success, outcome.failure
    assert outcome.released == "0.1.0"
    assert [one["release"] for one in lake.kept("states.jsonl")] == ["0.1.0"]
    assert outcome.steps[-1].name == "release" if work is Work.TEST else "release" in {s.name for s in outcome.steps}


def test_what_failed_its_tests_is_not_released(lake: Bench) -> None:
    script(lake, test={"unique_orders": "fail"})
    assert not lake.carry_out(Work.BUILD, lane=Lane.ICEBERG).success
    assert lake.kept("states.jsonl") == []


def test_a_part_of_a_product_is_not_released(lake: Bench) -> None:
    script(lake, run={"silver_orders": "success"})
    outcome = lake.carry_out(Work.BUILD, lane=Lane.ICEBERG, select=("silver_orders",))
    assert outcome.success, outcome.failure
    assert (outcome.released, outcome.tables) == ("", ())


def test_the_other_lane_asks_no_catalog(lake: Bench) -> None:
    assert lake.carry_out(Work.BUILD).success
    assert lake.kept("states.jsonl") == []


def test_a_port_that_is_a_view_is_refused(lake: Bench) -> None:
    script(lake, manifest=manifest(node("gold_orders_by_day", materialized="view")))
    failure = lake.carry_out(lane=Lane.ICEBERG).failure
    assert isinstance(failure, WrongStateError)
    assert failure.what == "the output port gold_orders_by_day is no table"


def test_a_plugin_that_raises_is_told_without_its_words(lake: Bench) -> None:
    (lake.folder / "raise").touch()
    failure = lake.carry_out(lane=Lane.ICEBERG).failure
    assert failure
    assert "RuntimeError" in failure.why
    assert "hunter2" not in str(failure)


def test_a_model_lies_below_the_products_namespace(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(manifest(node("days"), node("plain", schema="main", alias="other")))
    found = releasing.identifiers(path, ["days", "plain"], namespace="orders", default_schema="main")
    assert found == {"days": ("orders", "marts", "days"), "plain": ("orders", "other")}
    every: tuple[Any, ...] = ({"nodes": {}}, {"nodes": 3}, [], {"nodes": {"a": 1}})
    for broken in every:
        path.write_text(json.dumps(broken))
        with pytest.raises(WrongStateError, match="dbt does not say"):
            releasing.identifiers(path, ["days"], namespace="orders", default_schema="main")

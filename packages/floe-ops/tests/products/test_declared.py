"""floe.yaml against dbt: what one of them does not say is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from floe_core.errors import WrongStateError
from floe_core.spec.product import FloeSpec
from floe_ops.products import declared

if TYPE_CHECKING:
    from pathlib import Path


def spec(**changes: Any) -> FloeSpec:
    content: dict[str, Any] = {
        "apiVersion": "floe.dev/v1",
        "kind": "FloeSpec",
        "metadata": {"name": "tiny", "version": "1.0.0"},
        "transforms": [{"name": "stg_a"}, {"name": "mart_b", "dependsOn": ["stg_a"]}],
        "outputPorts": [
            {
                "name": "mart_b",
                "schema": [{"name": "id", "type": "string", "required": True}, {"name": "amount", "type": "number"}],
            }
        ],
    }
    return FloeSpec.model_validate(content | changes)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    nodes = {
        "model.tiny.stg_a": ("model", "stg_a", "staging", ["seed.tiny.raw_a"]),
        "model.tiny.mart_b": ("model", "mart_b", "marts", ["model.tiny.stg_a", "seed.tiny.raw_a"]),
        "test.tiny.x": ("test", "x", "tests", ["model.tiny.mart_b"]),
    }
    content = {
        "nodes": {
            key: {
                "resource_type": kind,
                "name": name,
                "schema": schema,
                "alias": name,
                "depends_on": {"nodes": reads},
                "config": {"materialized": "table"},
            }
            for key, (kind, name, schema, reads) in nodes.items()
        }
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_ports_are_found_where_dbt_puts_them(manifest: Path) -> None:
    assert declared.port_tables(spec(), manifest) == {"mart_b": "marts.mart_b"}


@pytest.mark.parametrize(
    ("transforms", "says"),
    [
        ([{"name": "stg_a"}, {"name": "mart_b"}], "mart_b reads stg_a and does not say so"),
        ([{"name": "mart_b"}], "the model stg_a is no transform"),
        (
            [{"name": "stg_a"}, {"name": "mart_b", "dependsOn": ["stg_a"]}, {"name": "gone"}],
            "the transform gone is no model",
        ),
        (
            [{"name": "stg_a", "dependsOn": ["mart_b"]}, {"name": "mart_b", "dependsOn": ["stg_a"]}],
            "stg_a says that it reads mart_b and does not",
        ),
    ],
)
def test_a_difference_is_named(manifest: Path, transforms: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(WrongStateError) as caught:
        declared.port_tables(spec(transforms=transforms), manifest)
    assert says in caught.value.why


def test_a_port_that_is_no_model_is_named(manifest: Path) -> None:
    with pytest.raises(WrongStateError) as caught:
        declared.port_tables(spec(outputPorts=[{"name": "nothing"}]), manifest)
    assert "the output port nothing is no model" in caught.value.why


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("'a' as id, 1.10::decimal(9, 2) as amount", ""),
        ("'a' as id, 1.10::double as amount", "mart_b.amount: promised number, built DOUBLE"),
        ("'a' as id", "mart_b.amount: promised number, built nothing"),
        ("null::varchar as id, 1 as amount", "mart_b.id: promised without nulls"),
    ],
)
def test_promises_are_held_against_the_table(columns: str, says: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create schema marts; create table marts.mart_b as select {columns}")
        if not says:
            declared.check_ports(connection, spec(), {"mart_b": "marts.mart_b"})
            return
        with pytest.raises(WrongStateError) as caught:
            declared.check_ports(connection, spec(), {"mart_b": "marts.mart_b"})
    assert says in caught.value.why


def test_partitions_are_held_against_what_the_model_says() -> None:
    nodes = {"mart_b": declared.Model("model", "marts.mart_b", (), partition_by=("bucket(8, id)", "Month(day)"))}
    declared.check_partitions(nodes, {"mart_b": ("bucket(8, id)", "month(day)")}, where="here")
    with pytest.raises(WrongStateError) as caught:
        declared.check_partitions(nodes, {"mart_b": ()}, where="here")
    assert "mart_b: configured bucket(8,id), month(day), in the catalog nothing" in caught.value.why

"""A small dbt manifest, and a way to change it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from floe_core.plugins import SemanticRequest, SemanticResult
from floe_semantic_cube.config import CubeConfig
from floe_semantic_cube.plugin import CubePlugin

Generated = Callable[..., tuple[dict[str, Any], SemanticResult]]


def column(name: str, data_type: str | None = "varchar", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": f"The {name}.", "data_type": data_type, "constraints": [], **more}


def model(name: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "unique_id": f"model.shop.{name}",
        "name": name,
        "alias": name,
        "database": "shop",
        "schema": "marts",
        "relation_name": f'"shop"."marts"."{name}"',
        "description": f"All of {name}.",
        "original_file_path": f"models/{name}.sql",
        "patch_path": "shop://models/marts.yml",
        "tags": ["marts"],
        "columns": {one["name"]: one for one in columns},
        **more,
    }


def generic_test(kind: str, on: str, of: str | None = None, **more: Any) -> dict[str, Any]:
    nodes = [f"model.shop.{one}" for one in (on, more.get("to")) if one]
    return {
        "resource_type": "test",
        "unique_id": f"test.shop.{kind}_{on}_{of}_{more.get('to', '')}",
        "attached_node": f"model.shop.{on}",
        "column_name": of,
        "test_metadata": {"name": kind, "kwargs": {key: more[key] for key in more.keys() & {"field", "columns"}}},
        "depends_on": {"nodes": nodes},
        "config": {"meta": more.get("meta", {}), "where": more.get("where")},
    }


def key(on: str, of: str) -> list[dict[str, Any]]:
    return [generic_test("unique", on, of), generic_test("not_null", on, of)]


def manifest(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "adapter_type": "duckdb",
        },
        "nodes": {node["unique_id"]: node for node in nodes},
    }


@pytest.fixture
def dbt_manifest() -> dict[str, Any]:
    """Orders of customers; and a staging model that nobody selects."""
    return manifest(
        model(
            "mart_orders",
            column("order_id", "bigint"),
            column("customer_id"),
            column("amount", "decimal(12, 2)"),
            column("average_discount", "double"),
            column("ordered_at", "timestamp with time zone"),
            column("is_paid", "boolean"),
        ),
        model("mart_customers", column("customer_id"), column("email"), column("segment")),
        model("stg_orders", column("order_id"), tags=["staging"]),
        *key("mart_orders", "order_id"),
        *key("mart_customers", "customer_id"),
        generic_test("relationships", "mart_orders", "customer_id", to="mart_customers", field="customer_id"),
    )


@pytest.fixture
def generated(tmp_path: Path) -> Generated:
    """Generate a manifest's data model: every cube and view by name, and the result."""

    def run(
        of: dict[str, Any], config: dict[str, Any] | None = None, **asked: Any
    ) -> tuple[dict[str, Any], SemanticResult]:
        plugin = CubePlugin(CubeConfig.model_validate(config or {}))
        result = plugin.generate(SemanticRequest(copy.deepcopy(of), tmp_path / "model", **asked))
        found: dict[str, Any] = {}
        for path in result.files:
            for entries in yaml.safe_load(path.read_text()).values():
                found |= {entry["name"]: entry for entry in entries}
        return found, result

    return run

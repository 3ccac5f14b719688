# ruff: noqa: INP001 - Dagster loads this file by its path; it belongs to no package
"""What Dagster sees of this product: everything, as the folder's floe.yaml and dbt project say."""

from pathlib import Path

from floe_orchestrator_dagster import load_product_definitions

defs = load_product_definitions(Path(__file__).parent)

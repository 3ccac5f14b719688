# ruff: noqa: INP001 - a code location beside its data, in no package
"""The product iot-telemetry as Dagster sees it."""

from __future__ import annotations

from pathlib import Path

from floe_orchestrator_dagster import load_product_definitions

defs = load_product_definitions(Path(__file__).parent)

"""Orchestrator plugin: Dagster.

One line in a `definitions.py` loads a product: `defs = load_product_definitions(Path(__file__).parent)`.
Names are loaded on first use, because importing Dagster takes seconds and the command line only asks for metadata.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from floe_orchestrator_dagster.io_manager import IcebergIOManager
    from floe_orchestrator_dagster.loader import load_product_definitions
    from floe_orchestrator_dagster.plugin import DagsterOrchestratorPlugin
    from floe_orchestrator_dagster.resources.chosen import Chosen
    from floe_orchestrator_dagster.resources.iceberg import IcebergAccess, IcebergResource
    from floe_orchestrator_dagster.wiring import check_definitions

__all__ = [
    "Chosen",
    "DagsterOrchestratorPlugin",
    "IcebergAccess",
    "IcebergIOManager",
    "IcebergResource",
    "check_definitions",
    "load_product_definitions",
]

_HOMES = {
    "Chosen": "resources.chosen",
    "IcebergAccess": "resources.iceberg",
    "DagsterOrchestratorPlugin": "plugin",
    "IcebergIOManager": "io_manager",
    "IcebergResource": "resources.iceberg",
    "check_definitions": "wiring",
    "load_product_definitions": "loader",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)

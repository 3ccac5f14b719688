"""The Iceberg lane's last step: what the catalog now has of the output ports, and the product's version on them.

dbt has built the tables in the catalog itself; nothing is copied here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError, WrongStateError
from floe_core.plugins import CatalogError
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from floe_core.plugins import CatalogPlugin, StoragePlugin, TableState

_NO_TABLE = frozenset({"view", "ephemeral"})


def identifiers(
    dbt_manifest: Path, models: Iterable[str], *, namespace: str, default_schema: str
) -> dict[str, tuple[str, ...]]:
    """Namespace levels and name of the table of each model.

    Args:
        dbt_manifest: dbt's manifest of the build.
        models: The models' names.
        namespace: The product's, which is the first level.
        default_schema: dbt's schema of models that name none; their tables lie right in the product's namespace.

    Raises:
        WrongStateError: dbt's manifest is not there, does not know a model, or the model is no table.
    """
    try:
        nodes = json.loads(dbt_manifest.read_text(encoding="utf-8"))["nodes"].values()
        known = {node["name"]: node for node in nodes if node.get("resource_type") == "model"}
        found = {name: known[name] for name in models}
        views = sorted(name for name, node in found.items() if node["config"]["materialized"] in _NO_TABLE)
        schemas = {name: str(node["schema"]) for name, node in found.items()}
        aliases = {name: str(node["alias"]) for name, node in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise WrongStateError(
            "dbt does not say where it put the tables of the output ports",
            where=str(dbt_manifest),
            why="its manifest is missing, or lacks a model that is an output port",
            remedy="see that each output port is a model of the dbt project",
        ) from None
    if views:
        raise WrongStateError(
            f"the output port {views[0]} is no table",
            where=f"the model {views[0]}",
            why="a view lies in the engine's own file, where nobody else can read it",
            remedy="materialize it as table or incremental",
        )
    return {name: identifier(namespace, schemas[name], aliases[name], default_schema=default_schema) for name in found}


def identifier(namespace: str, schema: str, table: str, *, default_schema: str) -> tuple[str, ...]:
    """Namespace levels and name of what dbt calls `schema.table`."""
    return (namespace, table) if schema == default_schema else (namespace, schema, table)


def states(
    catalog: CatalogPlugin[Any],
    storage: StoragePlugin[Any] | None,
    tables: Mapping[str, tuple[str, ...]],
    *,
    release: str = "",
) -> tuple[TableState, ...]:
    """What the catalog says of the tables; their snapshots are released as version `release` where one is given.

    Raises:
        CatalogError: The catalog refused, lacks a table, or the plugin failed.
    """
    fileio = storage.fileio_properties() if storage is not None else None
    with span("iceberg release" if release else "iceberg states", **{"floe.tables": len(tables)}):
        try:
            return catalog.states(tuple(tables.values()), fileio, release=release)
        except FloeError:
            raise
        except Exception as error:  # a plugin is foreign code and can raise anything; its words may quote a secret
            raise CatalogError(
                "the catalog does not say what it has of the output ports",
                why=f"the plugin {catalog.name} raised {type(error).__name__}",
                remedy="report it to the plugin's authors; the tables are built",
            ) from error

"""What `floe.yaml` says about the models, held against what dbt knows of them.

The two are written by hand side by side; a dependency that only one of them names would show wrong lineage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError
from floe_core.spec.product import LogicalType

from floe_ops.clients import untrusted
from floe_ops.products import facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb
    from floe_core.spec.product import FloeSpec

_BUILDING = frozenset({"model", "seed", "snapshot"})
_TYPES = {
    LogicalType.STRING: ("VARCHAR",),
    LogicalType.INTEGER: ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    LogicalType.NUMBER: ("DECIMAL", "INTEGER", "BIGINT"),
    LogicalType.BOOLEAN: ("BOOLEAN",),
    LogicalType.DATE: ("DATE",),
    LogicalType.TIMESTAMP: ("TIMESTAMP",),
}


@dataclass(frozen=True)
class Model:
    """What a node of the dbt project builds.

    Attributes:
        kind: `model`, `seed` or `snapshot`.
        table: `schema.table`.
        reads: The ids of the nodes that it reads.
        stored: Whether it is a table; a view and an ephemeral model are none.
        partition_by: Iceberg's partition fields as the project configures them.
    """

    kind: str
    table: str
    reads: tuple[str, ...]
    stored: bool = True
    partition_by: tuple[str, ...] = ()


def port_tables(spec: FloeSpec, dbt_manifest: Path) -> dict[str, str]:
    """`schema.table` by output port.

    Raises:
        WrongStateError: Transforms and dbt models differ, in names or dependencies; the differences are named.
    """
    known = {name: node for name, node in nodes(dbt_manifest).items() if node.kind == "model"}
    differences = _differences(spec, known)
    ports = {port.name for port in spec.output_ports}
    differences += [f"the output port {name} is no model" for name in sorted(ports - known.keys())]
    if differences:
        raise WrongStateError(
            f"floe.yaml of {spec.metadata.name} and its dbt project differ",
            where=f"floe.yaml of {spec.metadata.name}",
            why="\n         ".join(differences),
            remedy="make transforms, dependsOn and outputPorts say what the models do",
        )
    return {port.name: known[port.name].table for port in spec.output_ports}


def check_ports(connection: duckdb.DuckDBPyConnection, spec: FloeSpec, tables: dict[str, str]) -> None:
    """Hold the built tables against the columns that the output ports promise.

    Raises:
        WrongStateError: A promised column is missing, of another type, or null where it is required.
    """
    wrong: list[str] = []
    for port in spec.output_ports:
        built = facts.columns(connection, tables[port.name])
        for column in port.columns:
            kind = built.get(column.name)
            if kind is None or not kind.startswith(_TYPES[column.type]):
                wrong.append(f"{port.name}.{column.name}: promised {column.type}, built {kind or 'nothing'}")
            elif column.required and _nulls(connection, tables[port.name], column.name):
                wrong.append(f"{port.name}.{column.name}: promised without nulls, and has some")
    if wrong:
        raise WrongStateError(
            f"{spec.metadata.name} does not keep its promises",
            where="floe.yaml, outputPorts",
            why="\n         ".join(wrong),
            remedy="correct the model or the promise",
        )


def check_partitions(nodes: Mapping[str, Model], found: Mapping[str, tuple[str, ...]], *, where: str) -> None:
    """Hold the partition fields of the catalog's tables against what the models configure.

    Raises:
        WrongStateError: A table is partitioned in another way than its model says.
    """
    wrong = [
        f"{name}: configured {_fields(nodes[name].partition_by)}, in the catalog {_fields(fields)}"
        for name, fields in found.items()
        if _fields(nodes[name].partition_by) != _fields(fields)
    ]
    if wrong:
        raise WrongStateError(
            "tables are not partitioned as their models say",
            where=where,
            why="\n         ".join(wrong),
            remedy="build them anew with --full-refresh, or correct partition_by",
        )


def _fields(words: tuple[str, ...]) -> str:
    return ", ".join(word.replace(" ", "").lower() for word in words) or "nothing"


def nodes(dbt_manifest: Path) -> dict[str, Model]:
    """The models, seeds and snapshots of dbt's manifest by name.

    Raises:
        WrongStateError: There is no such file, or it is no manifest.
    """
    try:
        found = untrusted.document(dbt_manifest.read_bytes())["nodes"].values()
        return {str(node["name"]): _model(node) for node in found if node["resource_type"] in _BUILDING}
    except (OSError, *untrusted.STUMBLES) as error:
        raise WrongStateError(
            "dbt's manifest cannot be read",
            where=str(dbt_manifest),
            why=untrusted.why(error),
            remedy="build the product again",
        ) from error


def _model(node: dict[str, Any]) -> Model:
    config = node["config"]
    words = config.get("partition_by") or ()
    return Model(
        kind=str(node["resource_type"]),
        table=f"{node['schema']}.{node['alias']}",
        reads=tuple(str(parent) for parent in node["depends_on"].get("nodes", ())),  # a seed reads nothing
        stored=config["materialized"] not in {"view", "ephemeral"},
        partition_by=(words,) if isinstance(words, str) else tuple(str(word) for word in words),
    )


def _differences(spec: FloeSpec, models: dict[str, Model]) -> list[str]:
    declared = {transform.name: transform for transform in spec.transforms}
    found = [f"the model {name} is no transform" for name in sorted(models.keys() - declared.keys())]
    found += [f"the transform {name} is no model" for name in sorted(declared.keys() - models.keys())]
    for name in sorted(declared.keys() & models.keys()):
        reads = {parent.rsplit(".", 1)[-1] for parent in models[name].reads if parent.startswith("model.")}
        says = set(declared[name].depends_on)
        found += [f"{name} reads {one} and does not say so" for one in sorted(reads - says)]
        found += [f"{name} says that it reads {one} and does not" for one in sorted(says - reads)]
    return found


def _nulls(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    query = f"select count(*) from {facts.quoted(table)} where {facts.quoted(column)} is null"  # noqa: S608 # nosec B608 - quoted
    return int(connection.execute(query).fetchall()[0][0])

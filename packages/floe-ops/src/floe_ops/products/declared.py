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
    from pathlib import Path

    import duckdb
    from floe_core.spec.product import FloeSpec

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
    """A model of the dbt project: `schema.table` of what it builds, and the ids of the nodes that it reads."""

    table: str
    reads: tuple[str, ...]


def port_tables(spec: FloeSpec, dbt_manifest: Path) -> dict[str, str]:
    """`schema.table` by output port.

    Raises:
        WrongStateError: Transforms and dbt models differ, in names or dependencies; the differences are named.
    """
    known = models(dbt_manifest)
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


def models(dbt_manifest: Path) -> dict[str, Model]:
    """The models of dbt's manifest by name.

    Raises:
        WrongStateError: There is no such file, or it is no manifest.
    """
    try:
        nodes = untrusted.document(dbt_manifest.read_bytes())["nodes"].values()
        return {str(node["name"]): _model(node) for node in nodes if node["resource_type"] == "model"}
    except (OSError, *untrusted.STUMBLES) as error:
        raise WrongStateError(
            "dbt's manifest cannot be read",
            where=str(dbt_manifest),
            why=untrusted.why(error),
            remedy="build the product again",
        ) from error


def _model(node: dict[str, Any]) -> Model:
    return Model(f"{node['schema']}.{node['alias']}", tuple(str(parent) for parent in node["depends_on"]["nodes"]))


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

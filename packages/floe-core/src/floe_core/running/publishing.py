"""The Iceberg lane's last step: what a build offers to others becomes tables in the platform's catalog.

Each table is replaced in one commit: a reader sees all of its old rows or all of its new ones. PyIceberg comes with
the catalog plugin; floe_core only calls the catalog that the plugin connects.
"""

from __future__ import annotations

import functools
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import FloeError, WrongStateError
from floe_core.plugins import BuiltTable, CatalogAuthenticationError, CatalogError
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from floe_core.plugins import ArrowRows, IcebergCatalog

ATTEMPTS: Final = 5
"""How often a table is written when somebody else commits to it in between."""


@dataclass(frozen=True)
class Published:
    """One table in the catalog.

    Attributes:
        name: Its name in the product's namespace.
        rows: How many rows its current snapshot has, as the catalog counts them.
        snapshot_id: That snapshot; None for a table that never had a row.
    """

    name: str
    rows: int
    snapshot_id: int | None


def built_tables(dbt_manifest: Path, models: Iterable[str]) -> dict[str, BuiltTable]:
    """Where dbt put each of the models.

    Raises:
        WrongStateError: dbt's manifest is not there, or does not know a model.
    """
    try:
        nodes = json.loads(dbt_manifest.read_text(encoding="utf-8"))["nodes"].values()
        known = {node["name"]: BuiltTable(node["schema"], node["alias"]) for node in nodes if _is_model(node)}
        return {name: known[name] for name in models}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise WrongStateError(
            "dbt does not say where it put the tables that are to be published",
            where=str(dbt_manifest),
            why="its manifest is missing, or lacks a model that is an output port",
            remedy="see that each output port is a model of the dbt project",
        ) from None


def publish(
    catalog: IcebergCatalog,
    namespace: str,
    tables: Mapping[str, BuiltTable],
    read: Callable[[BuiltTable], AbstractContextManager[ArrowRows]],
    properties: Mapping[str, str],
) -> Iterator[Published]:
    """Write each table, one after the other; gives each as it is committed.

    Args:
        catalog: A PyIceberg catalog that is signed in.
        namespace: Of the product; made when it is missing.
        tables: What to write, by name in the namespace.
        read: Streams the rows of a table.
        properties: Noted on each snapshot.

    Raises:
        WrongStateError: A table has columns that cannot become the model's, or others keep committing to it.
        CatalogAuthenticationError: The catalog does not let this principal write there.
        CatalogError: The catalog or its object store failed.
    """
    with _told(namespace):
        catalog.create_namespace_if_not_exists(namespace)
    for name, table in tables.items():
        full = f"{namespace}.{name}"
        with span(f"iceberg commit {name}", **{"iceberg.table": full}), _told(full):
            done = _published(name, _write(catalog, (namespace, name), functools.partial(read, table), properties))
        yield done


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What the catalog, the object store or the engine raises, for people; its words may quote a secret."""
    try:
        yield
    except FloeError:
        raise
    except Exception as error:
        from pyiceberg.exceptions import ForbiddenError, UnauthorizedError

        kind = type(error).__name__
        if isinstance(error, ForbiddenError | UnauthorizedError):
            raise CatalogAuthenticationError(
                "the catalog refuses to publish the product",
                where=where,
                why=f"it answered {kind}",
                remedy="give the platform's principal the right to create and write tables there",
            ) from error
        raise CatalogError(
            "the product cannot be published",
            where=where,
            why=f"the catalog or its object store raised {kind}",
            remedy="see what their logs say and run again; tables that were published before stay as they are",
        ) from error


def _write(
    catalog: IcebergCatalog,
    identifier: tuple[str, str],
    read: Callable[[], AbstractContextManager[ArrowRows]],
    properties: Mapping[str, str],
) -> Any:
    from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError

    for _ in range(ATTEMPTS):
        try:
            with read() as rows:
                _replace(catalog, identifier, rows, dict(properties))
            return catalog.load_table(identifier)
        except (CommitFailedException, TableAlreadyExistsError):
            continue  # somebody else was faster: the next attempt starts from what is there now
    raise WrongStateError(
        f"the table {identifier[1]} cannot be committed",
        where=".".join(identifier),
        why=f"others committed to it {ATTEMPTS} times in between",
        remedy="see who else writes to this namespace, and run again",
    )


def _replace(catalog: IcebergCatalog, identifier: tuple[str, str], rows: ArrowRows, noted: dict[str, str]) -> None:
    if not catalog.table_exists(identifier):
        creation = catalog.create_table_transaction(identifier, schema=rows.schema)
        creation.append(rows, snapshot_properties=noted)
        creation.commit_transaction()
        return
    table = catalog.load_table(identifier)
    with table.transaction() as change:
        _evolve(change, table, rows.schema)
        # PyIceberg warns where an overwrite finds nothing to delete.
        (change.overwrite if _rows(table) else change.append)(rows, snapshot_properties=noted)


def _evolve(change: Any, table: Any, wanted: Any) -> None:
    """Give the table the model's columns, in the same commit as its rows."""
    from pyiceberg.exceptions import ValidationError

    gone = sorted({field.name for field in table.schema().fields} - set(wanted.names))
    try:
        with change.update_schema() as update:
            for name in gone:
                update.delete_column(name)
            update.union_by_name(wanted)
    except (ValidationError, ValueError, TypeError) as error:
        raise WrongStateError(
            f"the table {table.name()[-1]} cannot take the model's columns",
            where=".".join(table.name()),
            why=str(error),
            remedy="give the column another name, or drop the table",
        ) from error


def _published(name: str, table: Any) -> Published:
    snapshot = table.current_snapshot()
    return Published(name, _rows(table), snapshot.snapshot_id if snapshot else None)


def _rows(table: Any) -> int:
    snapshot = table.current_snapshot()
    summary = snapshot.summary if snapshot else None
    return int(summary["total-records"] or 0) if summary is not None else 0


def _is_model(node: Mapping[str, Any]) -> bool:
    return node.get("resource_type") == "model"

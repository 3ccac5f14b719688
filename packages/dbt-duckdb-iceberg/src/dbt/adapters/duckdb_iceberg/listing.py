"""What is in the catalog, by its REST API: DuckDB's information schema would load every table for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt.adapters.duckdb_iceberg.rest import patiently
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchNamespaceError, NoSuchTableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.types import IcebergType

COMMENT = "comment"
"""The table's property that holds its description."""


def levels(namespace: str) -> tuple[str, ...]:
    """The levels of a namespace that is written with dots."""
    return tuple(namespace.split("."))


def namespaces(catalog: Catalog, root: str) -> list[str]:
    """The catalog's first level, and all that is below `root`."""
    first = [".".join(levels) for levels in patiently(catalog.list_namespaces)]
    return first + [name for name in _below(catalog, levels(root)) if name not in first]


def _below(catalog: Catalog, parent: tuple[str, ...]) -> Iterator[str]:
    try:
        children = patiently(lambda: catalog.list_namespaces(parent))
    except NoSuchNamespaceError:
        return
    for child in children:
        yield ".".join(child)
        yield from _below(catalog, child)


def tables(catalog: Catalog, namespace: str) -> list[str]:
    """The names of a namespace's tables; none where there is no such namespace."""
    try:
        return [name[-1] for name in patiently(lambda: catalog.list_tables(levels(namespace)))]
    except NoSuchNamespaceError:
        return []


def load(catalog: Catalog, namespace: str, name: str) -> Table | None:
    """The table, where there is one."""
    try:
        return patiently(lambda: catalog.load_table((*levels(namespace), name)))
    except NoSuchTableError:
        return None


def make_namespace(catalog: Catalog, namespace: str) -> None:
    """Make it and all above it; those that are there are left alone."""
    parts = levels(namespace)
    for depth in range(1, len(parts) + 1):
        _make(catalog, parts[:depth])


def _make(catalog: Catalog, parts: tuple[str, ...]) -> None:
    try:
        patiently(lambda: catalog.create_namespace(parts))
    except NamespaceAlreadyExistsError:
        return


def drop_table(catalog: Catalog, namespace: str, name: str) -> None:
    """Take the table out of the catalog; its files stay, for whoever holds a snapshot of it."""
    try:
        patiently(lambda: catalog.drop_table((*levels(namespace), name)))
    except NoSuchTableError:
        return


def drop_namespace(catalog: Catalog, namespace: str) -> None:
    """Take the namespace out of the catalog, with its tables and all below it."""
    for child in [*_below(catalog, levels(namespace))][::-1]:
        drop_namespace(catalog, child)
    for name in tables(catalog, namespace):
        drop_table(catalog, namespace, name)
    try:
        patiently(lambda: catalog.drop_namespace(levels(namespace)))
    except NoSuchNamespaceError:
        return


def describe(table: Table, comment: str | None, docs: Mapping[str, str]) -> None:
    """Write descriptions of the table and of its columns; no commit where they are there already."""
    known = {field.name.lower(): field for field in table.schema().fields}
    new: dict[str, str] = {
        known[name.lower()].name: text
        for name, text in docs.items()
        if text and name.lower() in known and known[name.lower()].doc != text
    }
    with table.transaction() as change:
        if comment and table.properties.get(COMMENT) != comment:
            change.set_properties({COMMENT: comment})
        if new:
            with change.update_schema() as update:
                for name, text in new.items():
                    update.update_column((name,), doc=text)


def rows(table: Table) -> Iterator[dict[str, Any]]:
    """The table's part of dbt's catalog.json: one row a column."""
    for position, field in enumerate(table.schema().fields, start=1):
        yield {
            "table_type": "BASE TABLE",
            "table_comment": table.properties.get(COMMENT),
            "column_name": field.name,
            "column_index": position,
            "column_type": _shown(field.field_type),
            "column_comment": field.doc,
        }


def _shown(kind: IcebergType) -> str:
    return str(kind)

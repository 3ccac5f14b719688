"""Names in paths and bodies to entities: catalogs (the prefix), namespaces, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polaris_standin.errors import bad_request, no_such_namespace, no_such_table
from polaris_standin.management.catalogs import BASE_LOCATION
from polaris_standin.store import ROOT_CONTAINER, Entity, Kind

if TYPE_CHECKING:
    from polaris_standin.store import Store
    from polaris_standin.wire import Call

SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Place:
    """A namespace (or the catalog itself, with no levels) and the catalog that it is in."""

    catalog: Entity
    entity: Entity
    levels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Dotted, as messages show it."""
        return ".".join(self.levels)

    @property
    def location(self) -> str:
        """Where what is made here goes by default, without a trailing slash."""
        if not self.levels:
            return str(self.catalog.body["properties"][BASE_LOCATION]).rstrip("/")
        return str(self.entity.body["properties"]["location"]).rstrip("/")

    def identifier(self, name: str) -> str:
        """Dotted name of a table here."""
        return f"{self.name}.{name}"


def catalog(call: Call) -> Entity:
    """The catalog of the prefix.

    Raises:
        ApiError: 404; a missing catalog is reported as a missing namespace.
    """
    found = call.service.store.find(Kind.CATALOG, ROOT_CONTAINER, call.path["prefix"])
    if found is None:
        raise no_such_namespace(_levels_text(call) or "''")
    return found


def place(store: Store, in_catalog: Entity, levels: tuple[str, ...]) -> Place:
    """A namespace by its levels.

    Raises:
        ApiError: 404, with the whole name.
    """
    entity = in_catalog
    for level in levels:
        found = store.find(Kind.NAMESPACE, entity.id, level)
        if found is None:
            raise no_such_namespace(".".join(levels))
        entity = found
    return Place(in_catalog, entity, levels)


def namespace(call: Call) -> Place:
    """The namespace of the path.

    Raises:
        ApiError: 404.
    """
    return place(call.service.store, catalog(call), levels_of(call.path["namespace"]))


def table(call: Call) -> tuple[Place, Entity]:
    """The table of the path and its namespace.

    Raises:
        ApiError: 404 that names the table, whatever of its path is missing.
    """
    store = call.service.store
    levels = levels_of(call.path["namespace"])
    in_catalog = store.find(Kind.CATALOG, ROOT_CONTAINER, call.path["prefix"])
    return find_table(store, in_catalog, levels, call.path["table"])


def find_table(store: Store, in_catalog: Entity | None, levels: tuple[str, ...], name: str) -> tuple[Place, Entity]:
    """A table by its levels and name.

    Raises:
        ApiError: 404 that names the table.
    """
    entity = in_catalog
    for level in levels:
        entity = store.find(Kind.NAMESPACE, entity.id, level) if entity is not None else None
    found = store.find(Kind.TABLE, entity.id, name) if entity is not None else None
    if in_catalog is None or entity is None or found is None:
        raise no_such_table(".".join([*levels, name]))
    return Place(in_catalog, entity, levels), found


def levels_of(text: str) -> tuple[str, ...]:
    """The levels of a namespace in a path; they are joined by the unit separator."""
    return tuple(text.split(SEPARATOR))


def levels_in_body(value: Any) -> tuple[str, ...]:
    """The levels of a namespace in a body: a list of strings.

    Raises:
        ApiError: 400.
    """
    if not isinstance(value, list) or not all(isinstance(level, str) for level in value):
        raise bad_request()
    return tuple(value)


def _levels_text(call: Call) -> str:
    return call.path.get("namespace", "").replace(SEPARATOR, ".")

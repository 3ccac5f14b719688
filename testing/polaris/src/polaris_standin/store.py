"""State: named entities in a tree and grant records, in a database.

Everything that Polaris names is an entity: catalogs, principals and principal roles below the root
container (id 0), catalog roles and namespaces below a catalog, namespaces and tables below a namespace.
A grant record says that a grantee (a role, or a principal) holds a privilege on a securable entity; role
assignments are grant records too, with the two USAGE privileges. Grants and memberships are read at each
request, so that they act at once.

There is one writer at a time, whatever the engine: what a transaction has read stays true until it ends.
Entity ids are never used twice: a token of a deleted principal must not fit a later one.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from polaris_standin.engines import Engine, Row

ROOT_CONTAINER = 0
PRINCIPAL_ROLE_USAGE = "PRINCIPAL_ROLE_USAGE"
CATALOG_ROLE_USAGE = "CATALOG_ROLE_USAGE"


class Kind(StrEnum):
    """What an entity is; the values appear in Polaris's messages."""

    CATALOG = "CATALOG"
    PRINCIPAL = "PRINCIPAL"
    PRINCIPAL_ROLE = "PRINCIPAL_ROLE"
    CATALOG_ROLE = "CATALOG_ROLE"
    NAMESPACE = "NAMESPACE"
    TABLE = "TABLE"


class DuplicateError(Exception):
    """An entity of this kind and name is there already, below the same parent."""


class StaleError(Exception):
    """The entity was changed or removed since it was read."""


@dataclass(frozen=True)
class Entity:
    """One named thing. Times are milliseconds since 1970; `body` holds what is particular to its kind."""

    id: int
    kind: Kind
    parent: int
    name: str
    version: int
    created: int
    updated: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """A privilege that a grantee holds on a securable; both are entity ids."""

    grantee: int
    securable: int
    privilege: str


class Store:
    """The entities and grants of the one realm; every method raises DatabaseError where the engine does.

    Args:
        engine: The database that holds them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; nests (the outermost one commits), and excludes other writers."""
        return self._engine.transaction()

    def close(self) -> None:
        """Close the database."""
        self._engine.close()

    def ping(self) -> None:
        """Ask the database for the state."""
        self._engine.run("SELECT 1 FROM entity LIMIT 1")

    # entities

    def add(self, kind: Kind, parent: int, name: str, body: dict[str, Any]) -> Entity:
        """Make an entity at version 1.

        Raises:
            DuplicateError: The name is taken.
        """
        now = time.time_ns() // 1_000_000
        with self.transaction():
            made = self._engine.run(
                "INSERT INTO entity (kind, parent, name, version, created, updated, body)"
                " VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                str(kind),
                parent,
                name,
                now,
                now,
                json.dumps(body),
            )
        if not made:
            raise DuplicateError(name)
        return Entity(made[0][0], kind, parent, name, 1, now, now, body)

    def find(self, kind: Kind, parent: int, name: str) -> Entity | None:
        """An entity by its place and name."""
        rows = self._engine.run(
            "SELECT * FROM entity WHERE kind = ? AND parent = ? AND name = ?", str(kind), parent, name
        )
        return _entity(rows[0]) if rows else None

    def get(self, entity_id: int) -> Entity | None:
        """An entity by its id."""
        rows = self._engine.run("SELECT * FROM entity WHERE id = ?", entity_id)
        return _entity(rows[0]) if rows else None

    def children(self, kind: Kind, parent: int) -> list[Entity]:
        """Entities of one kind below a parent, oldest first."""
        rows = self._engine.run("SELECT * FROM entity WHERE kind = ? AND parent = ? ORDER BY id", str(kind), parent)
        return [_entity(row) for row in rows]

    def update(self, entity: Entity, body: dict[str, Any], *, touch: bool = True) -> Entity:
        """Replace the body and raise the version, if nobody did so since `entity` was read.

        Args:
            entity: As it was read.
            body: The new body.
            touch: Whether the time of the last update moves.

        Raises:
            StaleError: The entity is of another version now, or gone.
        """
        updated = time.time_ns() // 1_000_000 if touch else entity.updated
        self._change(
            "UPDATE entity SET body = ?, version = version + 1, updated = ? WHERE id = ? AND version = ? RETURNING id",
            json.dumps(body),
            updated,
            entity.id,
            entity.version,
        )
        return Entity(
            entity.id,
            entity.kind,
            entity.parent,
            entity.name,
            entity.version + 1,
            entity.created,
            updated,
            body,
        )

    def amend(self, entity: Entity, body: dict[str, Any]) -> None:
        """Replace what is no part of the visible state (secrets): the version stays.

        Raises:
            StaleError: As `update`.
        """
        self._change(
            "UPDATE entity SET body = ? WHERE id = ? AND version = ? RETURNING id",
            json.dumps(body),
            entity.id,
            entity.version,
        )

    def move(self, entity: Entity, parent: int, name: str) -> None:
        """Give an entity another place and name.

        Raises:
            DuplicateError: The new name is taken.
            StaleError: As `update`.
        """
        with self.transaction():
            other = self.find(entity.kind, parent, name)
            if other is not None and other.id != entity.id:
                raise DuplicateError(name)
            self._change(
                "UPDATE entity SET parent = ?, name = ?, version = version + 1"
                " WHERE id = ? AND version = ? RETURNING id",
                parent,
                name,
                entity.id,
                entity.version,
            )

    def remove(self, entity: Entity) -> None:
        """Remove an entity and every grant on it and to it; its children are the caller's business."""
        with self.transaction():
            self._engine.run("DELETE FROM entity WHERE id = ?", entity.id)
            self._engine.run("DELETE FROM grant_record WHERE grantee = ? OR securable = ?", entity.id, entity.id)

    # grants

    def grant(self, grantee: int, securable: int, privilege: str) -> None:
        """Record a grant; one that is there already stays as it is."""
        with self.transaction():
            self._engine.run(
                "INSERT INTO grant_record (grantee, securable, privilege) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                grantee,
                securable,
                privilege,
            )

    def revoke(self, grantee: int, securable: int, privilege: str) -> bool:
        """Take a grant back; False when there was none."""
        with self.transaction():
            gone = self._engine.run(
                "DELETE FROM grant_record WHERE grantee = ? AND securable = ? AND privilege = ? RETURNING number",
                grantee,
                securable,
                privilege,
            )
        return bool(gone)

    def grants_to(self, grantee: int) -> list[Grant]:
        """What a grantee holds, oldest first."""
        rows = self._engine.run(
            "SELECT grantee, securable, privilege FROM grant_record WHERE grantee = ? ORDER BY number", grantee
        )
        return [Grant(*row) for row in rows]

    def grants_on(self, securable: int) -> list[Grant]:
        """Who holds what on a securable, oldest first."""
        rows = self._engine.run(
            "SELECT grantee, securable, privilege FROM grant_record WHERE securable = ? ORDER BY number",
            securable,
        )
        return [Grant(*row) for row in rows]

    def _change(self, sql: str, *parameters: object) -> None:
        with self.transaction():
            if not self._engine.run(sql, *parameters):
                raise StaleError


def _entity(row: Row) -> Entity:
    number, kind, parent, name, version, created, updated, body = row
    return Entity(number, Kind(kind), parent, name, version, created, updated, json.loads(body))

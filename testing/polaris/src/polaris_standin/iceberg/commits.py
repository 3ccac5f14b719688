"""Commits: optimistic changes of one table, or of several at once.

A commit reads the current metadata, checks its requirements, computes and writes the next metadata file and
swaps the pointer if it still is where it was. When another commit came first it starts over: its requirements
decide whether it may go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polaris_standin.access import require
from polaris_standin.errors import ApiError, bad_request, commit_failed, no_such_table
from polaris_standin.iceberg import metadata as table_metadata
from polaris_standin.iceberg import tables
from polaris_standin.iceberg.places import Place, catalog, find_table, levels_in_body, levels_of, place
from polaris_standin.store import Entity, StaleError
from polaris_standin.wire import NO_CONTENT, Answer, Call

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableRequirement, TableUpdate

_ATTEMPTS = 5


@dataclass(frozen=True)
class Change:
    """What a client asks of one table."""

    levels: tuple[str, ...]
    name: str
    requirements: tuple[TableRequirement, ...]
    updates: tuple[TableUpdate, ...]

    @property
    def creates(self) -> bool:
        """Whether the table must not be there yet."""
        return any(requirement.type == "assert-create" for requirement in self.requirements)

    @property
    def identifier(self) -> str:
        """Dotted name of the table."""
        return ".".join([*self.levels, self.name])


@dataclass(frozen=True)
class Prepared:
    """A change whose metadata file is written (`file` is the old one when nothing changed)."""

    entity: Entity
    metadata: TableMetadata
    file: str

    @property
    def is_changed(self) -> bool:
        """Whether there is a new metadata file."""
        return bool(self.file != self.entity.body["metadata"])


def commit(call: Call) -> Answer:
    """`POST …/tables/{table}`: change a table, or create the staged one."""
    body = call.json()
    requirements, updates = table_metadata.parse_commit(body)
    change = Change(levels_of(call.path["namespace"]), call.path["table"], requirements, updates)
    found, file = _commit_one(call, change)
    return Answer(200, {"metadata-location": file, "metadata": table_metadata.shown(found)})


def commit_transaction(call: Call) -> Answer:
    """`POST …/transactions/commit`: several existing tables, all or none."""
    body = call.json()
    changes = body.get("table-changes") if isinstance(body, dict) else None
    if not isinstance(changes, list):
        raise bad_request()
    parsed = [_change(change) for change in changes]
    store = call.service.store
    for _ in range(_ATTEMPTS):
        prepared = [_prepare(call, change) for change in parsed]
        try:
            with store.transaction():
                for one in prepared:
                    _swap(call, one)
        except StaleError:
            continue
        return NO_CONTENT
    raise commit_failed("Cannot commit: the tables were changed concurrently")


def _commit_one(call: Call, change: Change) -> tuple[TableMetadata, str]:
    for _ in range(_ATTEMPTS):
        try:
            prepared = _prepare(call, change)
        except ApiError as error:
            if error.kind == "NoSuchTableException" and change.creates:
                return _create(call, change)
            raise
        try:
            _swap(call, prepared)
        except StaleError:
            continue
        return prepared.metadata, prepared.file
    raise commit_failed(f"Cannot commit: {change.identifier} was changed concurrently")


def _prepare(call: Call, change: Change) -> Prepared:
    """Check a change against the table as it is now and write its metadata file."""
    storage = call.service.storage
    here, entity = _find(call, change)
    require(call.service.store, call.caller, "UPDATE_TABLE", entity)
    base, file = tables.current(storage, here, entity), entity.body["metadata"]
    table_metadata.check(change.requirements, base)
    if not change.updates:
        return Prepared(entity, base, file)
    changed = table_metadata.apply(base, file, change.updates)
    if changed == base:
        return Prepared(entity, base, file)
    if changed.location != base.location:
        tables.check_location(here, entity.name, changed.location)
    new_file = table_metadata.file_name(changed, file)
    storage.write(here.catalog.body["storage"], changed.location, new_file, table_metadata.dump(changed))
    return Prepared(entity, changed, new_file)


def _swap(call: Call, prepared: Prepared) -> None:
    if prepared.is_changed:
        body = {"metadata": prepared.file, "location": prepared.metadata.location}
        call.service.store.update(prepared.entity, body)


def _create(call: Call, change: Change) -> tuple[TableMetadata, str]:
    """The second half of a staged create."""
    store = call.service.store
    here = place(store, catalog(call), change.levels)
    require(store, call.caller, "UPDATE_TABLE_FOR_STAGED_CREATE", here.entity)
    table_metadata.check(change.requirements, None)
    found = table_metadata.apply(None, None, change.updates)
    tables.check_location(here, change.name, found.location)
    file = tables.write_first(call.service.storage, here, found)
    try:
        tables.enter(store, here, change.name, found.location, file)
    except ApiError as error:
        if error.kind == "AlreadyExistsException":
            raise commit_failed("Requirement failed: table already exists") from None
        raise
    return found, file


def _find(call: Call, change: Change) -> tuple[Place, Entity]:
    try:
        in_catalog = catalog(call)
    except ApiError:
        raise no_such_table(change.identifier) from None
    return find_table(call.service.store, in_catalog, change.levels, change.name)


def _change(body: Any) -> Change:
    """One entry of `table-changes`."""
    requirements, updates = table_metadata.parse_commit(body)
    identifier = body.get("identifier")
    if not isinstance(identifier, dict) or not isinstance(identifier.get("name"), str):
        raise bad_request()
    return Change(levels_in_body(identifier.get("namespace")), identifier["name"], requirements, updates)

"""Tables: list, create, register, load, credentials, drop, rename."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from polaris_standin.access import require
from polaris_standin.errors import (
    ApiError,
    already_exists,
    bad_request,
    forbidden,
    illegal_argument,
    no_such_table,
)
from polaris_standin.iceberg import metadata as table_metadata
from polaris_standin.iceberg.places import (
    SEPARATOR,
    Place,
    catalog,
    find_table,
    levels_in_body,
    namespace,
    place,
    table,
)
from polaris_standin.locations import holds, overlap
from polaris_standin.store import DuplicateError, Entity, Kind
from polaris_standin.wire import NO_CONTENT, Answer, Call

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata

    from polaris_standin.iceberg.storage import Storage
    from polaris_standin.store import Store

_DELEGATION = "x-iceberg-access-delegation"
_VENDED = "vended-credentials"
_PURGE_ENABLED = "polaris.config.drop-with-purge.enabled"


def list_all(call: Call) -> Answer:
    """The tables of a namespace; one page, whatever its size."""
    here = namespace(call)
    require(call.service.store, call.caller, "LIST_TABLES", here.entity)
    tables = call.service.store.children(Kind.TABLE, here.entity.id)
    identifiers = [{"namespace": list(here.levels), "name": entity.name} for entity in tables]
    return Answer(200, {"identifiers": identifiers, "next-page-token": None})


def create(call: Call) -> Answer:
    """Write the first metadata file and enter the table; a staged create does neither."""
    body = _named_object(call)
    if body.get("schema") is None:
        raise illegal_argument("Invalid schema: null")
    store, name, staged, vended = call.service.store, str(body["name"]), bool(body.get("stage-create")), _vends(call)
    here = namespace(call)
    operation = "CREATE_TABLE_STAGED" if staged else "CREATE_TABLE_DIRECT"
    require(store, call.caller, f"{operation}_WITH_WRITE_DELEGATION" if vended else operation, here.entity)
    if store.find(Kind.TABLE, here.entity.id, name) is not None:
        raise already_exists(f"Table already exists: {here.identifier(name)}")
    location = str(body.get("location") or f"{here.location}/{name}").rstrip("/")
    check_location(here, name, location)
    found = table_metadata.new(body, location)
    config = _client_config(call, here, name, location, vended=vended)
    if staged:
        return Answer(200, {"metadata": table_metadata.shown(found), **config})
    file = write_first(call.service.storage, here, found)
    enter(store, here, name, location, file)
    return _loaded(found, file, config)


def register(call: Call) -> Answer:
    """Enter a table whose metadata file is there already."""
    body = _named_object(call)
    file = body.get("metadata-location")
    if not isinstance(file, str):
        raise bad_request()
    store, name = call.service.store, str(body["name"])
    here = namespace(call)
    require(store, call.caller, "REGISTER_TABLE", here.entity)
    location = file.rpartition("/metadata/")[0] or file
    check_location(here, name, location)
    storage_config = here.catalog.body["storage"]
    found = table_metadata.parse(call.service.storage.read(storage_config, location, file))
    enter(store, here, name, found.location, file)
    return _loaded(found, file, _client_config(call, here, name, found.location, vended=False))


def load(call: Call) -> Answer:
    """The current metadata, with credentials when they are asked for; 304 when nothing changed."""
    vended = _vends(call)
    here, entity = table(call)
    operation = "LOAD_TABLE_WITH_READ_DELEGATION" if vended else "LOAD_TABLE"
    require(call.service.store, call.caller, operation, entity)
    file = entity.body["metadata"]
    if call.headers.get("if-none-match") == _etag(file):
        return Answer(304)
    found = current(call.service.storage, here, entity)
    config = _client_config(call, here, entity.name, found.location, vended=vended)
    answer = _loaded(found, file, config)
    if call.query.get("snapshots") == "refs":
        answer.body["metadata"] = table_metadata.referenced_only(answer.body["metadata"])
    return answer


def exists(call: Call) -> Answer:
    """204 for a table that is there."""
    _, entity = table(call)
    require(call.service.store, call.caller, "TABLE_EXISTS", entity)
    return NO_CONTENT


def credentials(call: Call) -> Answer:
    """Fresh credentials for a table that a client has loaded."""
    here, entity = table(call)
    require(call.service.store, call.caller, "LOAD_TABLE_WITH_READ_DELEGATION", entity)
    config = _client_config(call, here, entity.name, entity.body["location"], vended=True)
    return Answer(200, {"storage-credentials": config["storage-credentials"]})


def drop(call: Call) -> Answer:
    """Forget a table; its files go too when a purge is asked for and the catalog allows it."""
    # Any case: PyIceberg sends "True".
    purge = call.query.get("purgeRequested", "").lower() == "true"
    store = call.service.store
    with store.transaction():
        here, entity = table(call)
        operation = "DROP_TABLE_WITH_PURGE" if purge else "DROP_TABLE_WITHOUT_PURGE"
        require(store, call.caller, operation, entity)
        if purge and here.catalog.body["properties"].get(_PURGE_ENABLED) != "true":
            raise forbidden(
                f"Unable to purge entity: {entity.name}. To enable this feature, set the Polaris configuration "
                f"DROP_WITH_PURGE_ENABLED or the catalog configuration {_PURGE_ENABLED}"
            )
        store.remove(entity)
    if purge:
        call.service.storage.delete_below(here.catalog.body["storage"], entity.body["location"])
    return NO_CONTENT


def rename(call: Call) -> Answer:
    """Give a table another name or namespace; its files stay where they are."""
    body = call.json()
    source, source_name = _identifier(body, "source")
    destination, name = _identifier(body, "destination")
    store = call.service.store
    with store.transaction():
        in_catalog = catalog(call)
        target = place(store, in_catalog, destination)
        new_name = target.identifier(name)
        here, entity = _rename_source(store, in_catalog, source, source_name, new_name)
        require(store, call.caller, "RENAME_TABLE", entity, target.entity)
        try:
            store.move(entity, target.entity.id, name)
        except DuplicateError:
            old_name = here.identifier(source_name)
            raise already_exists(f"Cannot rename {old_name} to {new_name}. Table already exists") from None
    return Answer(200, "NO_CONTENT")


def _rename_source(
    store: Store, in_catalog: Entity, levels: tuple[str, ...], name: str, new_name: str
) -> tuple[Place, Entity]:
    """The table to rename; a missing one is reported under the name that it should have got (measured)."""
    try:
        return find_table(store, in_catalog, levels, name)
    except ApiError:
        raise no_such_table(new_name) from None


def report_metrics(call: Call) -> Answer:
    """Take a scan or commit report; it is not kept."""
    _, entity = table(call)
    require(call.service.store, call.caller, "REPORT_READ_METRICS", entity)
    if not isinstance(call.json(), dict):
        raise bad_request()
    return NO_CONTENT


# what commits need as well


def current(storage: Storage, here: Place, entity: Entity) -> TableMetadata:
    """The current metadata of a table, read from the store."""
    file = entity.body["metadata"]
    return table_metadata.parse(storage.read(here.catalog.body["storage"], entity.body["location"], file))


def check_location(here: Place, name: str, location: str) -> None:
    """A table lies inside its namespace's location.

    Raises:
        ApiError: 403.
    """
    if not holds(here.location, location):
        raise forbidden(
            f"Invalid locations '[{location}]' for identifier '{here.identifier(name)}': "
            f"{location} is not in the list of allowed locations: [{here.location}]"
        )


def write_first(storage: Storage, here: Place, found: TableMetadata) -> str:
    """Write the metadata file of a new table; its location."""
    config = here.catalog.body["storage"]
    file = table_metadata.file_name(found, None)
    # The session first: a store that is down is then reported as Polaris does.
    storage.session(config, found.location)
    storage.check_bucket(config, found.location)
    storage.write(config, found.location, file, table_metadata.dump(found))
    return file


def enter(store: Store, here: Place, name: str, location: str, file: str) -> None:
    """Enter a table whose metadata is written.

    Raises:
        ApiError: 409, the name is taken; 403, another table or namespace uses the location.
    """
    with store.transaction():
        for kind in (Kind.TABLE, Kind.NAMESPACE):
            for other in store.children(kind, here.entity.id):
                used = other.body.get("location") or other.body["properties"]["location"]
                if other.name != name and overlap(used, location):
                    raise forbidden(
                        f"Unable to create entity at location '{location}' because it conflicts with existing "
                        f"table or namespace at {used}"
                    )
        try:
            store.add(Kind.TABLE, here.entity.id, name, {"metadata": file, "location": location})
        except DuplicateError:
            raise already_exists(f"Table already exists: {here.identifier(name)}") from None


def _loaded(found: TableMetadata, file: str, config: dict[str, Any]) -> Answer:
    body = {"metadata-location": file, "metadata": table_metadata.shown(found), **config}
    return Answer(200, body, {"ETag": _etag(file)})


def _etag(file: str) -> str:
    return f'W/"{hashlib.sha256(file.encode()).hexdigest()}"'


def _vends(call: Call) -> bool:
    """Whether the client asks for credentials; other ways of delegation are refused."""
    asked = call.headers.get(_DELEGATION, "").strip()
    modes = {mode.strip() for mode in asked.split(",") if mode.strip()}
    if modes and _VENDED not in modes:
        raise illegal_argument(f"Unsupported access delegation mode: {asked}")
    return bool(modes)


def _client_config(call: Call, here: Place, name: str, location: str, *, vended: bool) -> dict[str, Any]:
    """`config`, and with vended credentials `storage-credentials`, of a loaded table."""
    storage = here.catalog.body["storage"]
    config = {
        "client.region": storage.get("region"),
        "s3.endpoint": storage.get("endpoint"),
        "s3.path-style-access": "true" if storage.get("pathStyleAccess") else None,
    }
    known = {key: value for key, value in config.items() if value is not None}
    if not vended:
        return {"config": known}
    session = call.service.storage.session(storage, location)
    if session is None:
        message = (
            f"Credential vending was requested for table {here.identifier(name)}, but no credentials are available"
        )
        raise illegal_argument(message)
    parts = [here.catalog.name, "namespaces", SEPARATOR.join(here.levels), "tables", name, "credentials"]
    refresh = "/".join(["v1", *(quote(part, safe="") for part in parts)])
    vended_config = {"client.refresh-credentials-endpoint": refresh, **session.properties()}
    credentials_ = [{"prefix": location, "config": session.properties()}]
    return {"config": {**known, **vended_config}, "storage-credentials": credentials_}


def _named_object(call: Call) -> dict[str, Any]:
    """A body with a table name."""
    body = call.json()
    if not isinstance(body, dict):
        raise bad_request()
    if not body.get("name"):
        raise illegal_argument("Invalid table name: null or empty")
    return body


def _identifier(body: Any, field: str) -> tuple[tuple[str, ...], str]:
    found = body.get(field) if isinstance(body, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise bad_request()
    return levels_in_body(found.get("namespace")), found["name"]

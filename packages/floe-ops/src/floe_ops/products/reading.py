"""The catalog's tables, read by two engines that did not write them: PyIceberg, and a plain DuckDB.

Neither knows anything of dbt or of its adapter. Each tells rows, sums, columns, a fingerprint, partition fields and the
snapshot that it read; what they tell must be equal.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError

from floe_ops.products import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import duckdb
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from floe_ops.products.result import TableFacts
    from floe_ops.targets import Platform

_LAKE = "lake"
_EXTENSIONS = ("httpfs", "avro", "iceberg")


@dataclass(frozen=True)
class Stored:
    """A table of a product.

    Attributes:
        name: The model, seed or snapshot.
        table: `schema.table`, as the product's queries name it.
        identifier: Namespace levels and name in the catalog.
    """

    name: str
    table: str
    identifier: tuple[str, ...]


def open_catalog(platform: Platform) -> Catalog:
    """The platform's catalog for PyIceberg, signed in.

    Raises:
        FloeError: The server cannot be reached, or refuses.
    """
    from floe_catalog_polaris import iceberg

    store = iceberg.s3_properties(
        endpoint=platform.urls["s3"],
        access_key=platform.secrets["s3-access-key"],
        secret_key=platform.secrets["s3-secret-key"],
        region=platform.region,
    )
    return iceberg.open_catalog(
        platform.urls["polaris"],
        platform.catalog,
        platform.client_id,
        platform.secrets["polaris-client-secret"],
        fileio=store,
    )


def with_pyiceberg(platform: Platform, tables: Iterable[Stored], copy: Path) -> tuple[TableFacts, ...]:
    """Read every table as a stream into the database `copy`, which is made anew."""
    import duckdb

    copy.unlink(missing_ok=True)
    catalog = open_catalog(platform)
    found = []
    with duckdb.connect(str(copy)) as scratch:
        scratch.execute("set timezone = 'UTC'")
        for one in tables:
            table = catalog.load_table(one.identifier)
            _copy(table, scratch, one.table)
            snapshot = table.current_snapshot()
            place = {
                "snapshot_id": snapshot.snapshot_id if snapshot else None,
                "location": table.metadata_location,
                "partitions": _partitions(table),
            }
            found.append(facts.of_table(scratch, one.table, one.name).model_copy(update=place))
    return tuple(found)


def _copy(table: Table, scratch: duckdb.DuckDBPyConnection, name: str) -> None:
    scratch.execute(f"create schema if not exists {facts.quoted(name.split('.', maxsplit=1)[0])}")
    scratch.register("incoming", table.scan().to_arrow_batch_reader())
    scratch.execute(f"create table {facts.quoted(name)} as select * from incoming")  # noqa: S608 # nosec B608 - quoted
    scratch.unregister("incoming")


def _partitions(table: Table) -> tuple[str, ...]:
    schema = table.schema()
    return tuple(
        _field(str(field.transform), schema.find_column_name(field.source_id)) for field in table.spec().fields
    )


def _field(transform: str, column: str | None) -> str:
    """A partition field in a project's words: `region`, `month(day)`, `bucket(8, id)`."""
    name, _, argument = transform.rstrip("]").partition("[")
    if name == "identity":
        return str(column)
    return f"{name}({argument}, {column})" if argument else f"{name}({column})"


@contextmanager
def attached(platform: Platform, tables: Iterable[Stored] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that knows nothing of the build: the catalog attached as `lake`, and views of `tables` by their names.

    Raises:
        duckdb.Error: The catalog or its store cannot be reached, or lacks a table.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name in _EXTENSIONS:
            connection.execute(f"load '{_extension(name)}'")
        connection.execute(_store_secret(platform))
        api, secrets = f"{platform.urls['polaris']}/api/catalog", platform.secrets
        connection.execute(
            f"create secret sign_in (type iceberg, client_id {_text(platform.client_id)}, "
            f"client_secret {_text(secrets['polaris-client-secret'])}, oauth2_scope 'PRINCIPAL_ROLE:ALL', "
            f"oauth2_server_uri {_text(api + '/v1/oauth/tokens')})"
        )
        connection.execute(
            f"attach {_text(platform.catalog)} as {_LAKE} (type iceberg, endpoint {_text(api)}, secret sign_in, "
            "access_delegation_mode 'none')"
        )
        for one in tables:
            connection.execute(f"create schema if not exists {facts.quoted(one.table.split('.')[0])}")
            connection.execute(f"create view {facts.quoted(one.table)} as from {_in_lake(one.identifier)}")
        yield connection


def with_duckdb(connection: duckdb.DuckDBPyConnection, tables: Iterable[Stored]) -> tuple[TableFacts, ...]:
    """The facts of every table, with what this engine itself loaded of the table's metadata."""
    found = []
    for one in tables:
        row = connection.execute("from iceberg_load_table_response(?)", [_in_lake(one.identifier)]).fetchall()[0]
        location, metadata = row[0], row[1]
        snapshot = metadata.get("current-snapshot-id")
        place = {
            "snapshot_id": None if snapshot in {None, -1} else snapshot,
            "location": location,
            "partitions": _partitions_of(metadata),
        }
        found.append(facts.of_table(connection, one.table, one.name).model_copy(update=place))
    return tuple(found)


def _partitions_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    (spec,) = (one for one in metadata["partition-specs"] if one["spec-id"] == metadata["default-spec-id"])
    (schema,) = (one for one in metadata["schemas"] if one["schema-id"] == metadata["current-schema-id"])
    names = {field["id"]: field["name"] for field in schema["fields"]}
    return tuple(_field(field["transform"], names.get(field["source-id"])) for field in spec["fields"])


def agreed(one: tuple[TableFacts, ...], other: tuple[TableFacts, ...], *, where: str) -> None:
    """Hold what two engines read against each other.

    Raises:
        WrongStateError: They differ; names every difference.
    """
    found: list[str] = []
    for mine, theirs in zip(one, other, strict=True):
        found += mine.differences(theirs)
        for what in ("snapshot_id", "location", "partitions"):
            if getattr(mine, what) != getattr(theirs, what):
                found.append(f"{mine.name}, {what}: {getattr(mine, what)} against {getattr(theirs, what)}")
    if found:
        raise WrongStateError(
            "two engines read different tables in the catalog (PyIceberg against DuckDB)",
            where=where,
            why="\n         ".join(found),
            remedy="see whether somebody else writes to this namespace, and run again",
        )


def _in_lake(identifier: tuple[str, ...]) -> str:
    """The name in the attached catalog; DuckDB takes the levels of a namespace as one name with dots."""
    *namespace, name = identifier
    parts = (_LAKE, ".".join(namespace), name)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def _store_secret(platform: Platform) -> str:
    address, secrets = platform.urls["s3"], platform.secrets
    host, secure = address.split("://", 1)[1], str(address.startswith("https")).lower()
    return (
        f"create secret store (type s3, key_id {_text(secrets['s3-access-key'])}, "
        f"secret {_text(secrets['s3-secret-key'])}, endpoint {_text(host)}, region {_text(platform.region)}, "
        f"use_ssl {secure}, url_style 'path')"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _extension(name: str) -> Path:
    """The extension's file, which comes as a package of the lock and is downloaded by nobody."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    places = spec.submodule_search_locations if spec is not None else None
    found = [path for place in places or () for path in Path(place).rglob("*.duckdb_extension")]
    if not found:
        raise WrongStateError(
            f"DuckDB's extension {name} is not installed", where="this environment", remedy="uv sync --locked"
        )
    return found[0]

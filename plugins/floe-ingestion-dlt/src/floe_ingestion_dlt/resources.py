"""A source's settings as dlt's resources. Imports dlt: to be imported inside of methods only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb, read_jsonl, read_parquet
from dlt.sources.rest_api import rest_api_resources
from floe_core.plugins import IngestionError
from floe_core.spec.secrets import resolved

from floe_ingestion_dlt.sources import ApiKeyAuth, BearerAuth, Endpoint, FilesSource, RestSource, SqlSource
from floe_ingestion_dlt.stores import Secrets, located, opened

if TYPE_CHECKING:
    from pathlib import Path

    from dlt.extract import DltResource
    from dlt.sources.rest_api.typing import RESTAPIConfig

    from floe_ingestion_dlt.sources import AnySource, Auth, Table

READERS: dict[str, Any] = {
    "csv": read_csv_duckdb,
    "jsonl": read_jsonl,
    # Arrow keeps a file's own types; rows as dictionaries would lose a decimal's scale.
    "parquet": lambda: read_parquet(use_pyarrow=True),
}


def of_source(source: AnySource, base_dir: Path, secrets: Secrets) -> list[DltResource]:
    """The resources of a source, in its order.

    Args:
        source: The settings.
        base_dir: What relative paths start from.
        secrets: Takes every secret that is resolved, so that errors can be cleaned of it.

    Raises:
        IngestionError: Files are required and none matches.
        SecretUnavailableError: A reference points to nothing.
    """
    if isinstance(source, FilesSource):
        return [_files(source, base_dir, secrets)]
    if isinstance(source, RestSource):
        return _rest(source, secrets)
    return _sql(source, secrets)


def _files(source: FilesSource, base_dir: Path, secrets: Secrets) -> DltResource:
    url = located(source.url, base_dir)
    store = opened(source.store, url, secrets)
    if source.required and next(iter(filesystem(url, credentials=store, file_glob=source.glob)), None) is None:
        raise IngestionError(
            f"no file for the table {source.table}",
            where=f"{source.url}, glob {source.glob}",
            why="nothing matches",
            remedy="correct url or glob, or allow it with `required: false`",
        )
    listing = filesystem(url, credentials=store, file_glob=source.glob)
    if source.only_new:
        listing.apply_hints(incremental=dlt.sources.incremental("modification_date"))
    return _hinted((listing | READERS[source.format]()).with_name(source.table), source)


def _hinted(resource: DltResource, table: Table) -> DltResource:
    freeze = {"tables": "evolve", "columns": "freeze", "data_type": "freeze"}
    hints: dict[str, Any] = {
        "table_name": table.table,
        "write_disposition": table.write_disposition,
        "schema_contract": freeze if table.schema_contract == "freeze" else "evolve",
    }
    if table.primary_key:
        hints["primary_key"] = list(table.primary_key)
    # A REST endpoint has told dlt already, since its cursor is part of the request.
    if table.incremental is not None and not isinstance(table, Endpoint):
        hints["incremental"] = dlt.sources.incremental(
            table.incremental.cursor, initial_value=table.incremental.initial
        )
    resource.apply_hints(**hints)
    # What is nested becomes one JSON column: a source fills the tables that it names, and no others.
    resource.max_table_nesting = 0
    return resource


def _rest(source: RestSource, secrets: Secrets) -> list[DltResource]:
    client: dict[str, Any] = {
        "base_url": resolved(source.base_url),
        "headers": dict(source.headers),
        "paginator": source.paginator.model_dump(),
    }
    if source.auth is not None:
        client["auth"] = _auth(source.auth, secrets)
    parts = [{"name": one.table, "endpoint": _endpoint(one)} for one in source.endpoints]
    resources = rest_api_resources(cast("RESTAPIConfig", {"client": client, "resources": parts}))
    return [_hinted(resource, one) for resource, one in zip(resources, source.endpoints, strict=True)]


def _auth(auth: Auth, secrets: Secrets) -> dict[str, Any]:
    if isinstance(auth, BearerAuth):
        return {"type": "bearer", "token": secrets.take(auth.token)}
    if isinstance(auth, ApiKeyAuth):
        return {"type": "api_key", "name": auth.name, "api_key": secrets.take(auth.key), "location": auth.location}
    return {"type": "http_basic", "username": resolved(auth.username), "password": secrets.take(auth.password)}


def _endpoint(one: Endpoint) -> dict[str, Any]:
    endpoint: dict[str, Any] = {"path": one.path, "params": dict(one.params)}
    if one.data_selector is not None:
        endpoint["data_selector"] = one.data_selector
    if one.paginator is not None:
        endpoint["paginator"] = one.paginator.model_dump()
    if one.incremental is not None:
        endpoint["incremental"] = {
            "cursor_path": one.incremental.cursor,
            "initial_value": one.incremental.initial,
            **({"start_param": one.incremental.start_param} if one.incremental.start_param else {}),
        }
    return endpoint


def _sql(source: SqlSource, secrets: Secrets) -> list[DltResource]:
    from dlt.sources.sql_database import sql_table

    url = secrets.take(source.url)
    found = []
    for one in source.tables:
        resource = sql_table(
            credentials=url,
            table=one.from_table or one.table,
            schema=source.db_schema,
            chunk_size=source.chunk_rows,
            backend="sqlalchemy",
        )
        found.append(_hinted(resource.with_name(one.table), one))
    return found

"""The adapter: views and temporary tables in DuckDB's local file, everything else in the Iceberg catalog."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dbt.adapters.__about__ import version as base_version
from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.base.meta import available
from dbt.adapters.base.relation import AdapterTrackingRelationInfo
from dbt.adapters.duckdb.impl import DuckDBAdapter
from dbt.adapters.duckdb_iceberg import listing
from dbt.adapters.duckdb_iceberg.__version__ import version as own_version
from dbt.adapters.duckdb_iceberg.connections import DuckDBIcebergConnectionManager
from dbt.adapters.duckdb_iceberg.model import wanted
from dbt.adapters.duckdb_iceberg.relation import DuckDBIcebergRelation, placed_by
from dbt.adapters.duckdb_iceberg.replacing import Replacement
from dbt.adapters.duckdb_iceberg.rest import explained, is_away, redacted
from dbt.adapters.duckdb_iceberg.storable import columns
from dbt_common.clients.agate_helper import table_from_rows
from dbt_common.contracts.constraints import ConstraintType
from dbt_common.exceptions import DbtRuntimeError
from floe_core.errors import FloeError
from floe_core.telemetry import span
from opentelemetry import context
from pyiceberg.exceptions import RESTError
from requests import RequestException

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import agate  # type: ignore[import-untyped]
    import duckdb
    from dbt.adapters.base.relation import InformationSchema
    from dbt.adapters.contracts.relation import RelationConfig
    from dbt.adapters.duckdb_iceberg.environment import IcebergEnvironment, Locals
    from dbt.adapters.duckdb_iceberg.storable import Columns
    from opentelemetry.trace import Span
    from pyiceberg.catalog import Catalog

AnyRelation: TypeAlias = Any
"""A `BaseRelation`, or none; its parts are typed as optional, and those that come here have them."""
_CATALOG_COLUMNS: Final = (
    "table_database",
    "table_schema",
    "table_name",
    "table_type",
    "table_comment",
    "column_name",
    "column_index",
    "column_type",
    "column_comment",
    "table_owner",
)


class DuckDBIcebergAdapter(DuckDBAdapter):
    """dbt-duckdb's adapter, with the catalog's REST API for all that its tables are asked about."""

    ConnectionManager = DuckDBIcebergConnectionManager
    Relation = DuckDBIcebergRelation

    CONSTRAINT_SUPPORT = {  # noqa: RUF012 - as the base class has it
        ConstraintType.check: ConstraintSupport.NOT_SUPPORTED,
        ConstraintType.not_null: ConstraintSupport.ENFORCED,
        ConstraintType.unique: ConstraintSupport.NOT_SUPPORTED,
        ConstraintType.primary_key: ConstraintSupport.NOT_SUPPORTED,
        ConstraintType.foreign_key: ConstraintSupport.NOT_SUPPORTED,
    }

    def __init__(self, config: Any, mp_context: Any) -> None:
        super().__init__(config, mp_context)
        self.Relation = placed_by(config.credentials)
        self._caller = context.get_current()

    @classmethod
    def type(cls) -> str:
        """The adapter's name."""
        return "duckdb_iceberg"

    @classmethod
    def get_adapter_run_info(cls, config: RelationConfig) -> AdapterTrackingRelationInfo:
        """What dbt's events say of the adapter; the base class takes the module's name from the class's."""
        return AdapterTrackingRelationInfo(  # type: ignore[abstract]
            adapter_name=cls.type(),
            base_adapter_version=base_version,
            adapter_version=own_version,
            model_adapter_details=cls._get_adapter_specific_run_info(config),
        )

    # where things are

    @available
    def is_in_catalog(self, relation: AnyRelation) -> bool:
        """Whether the relation is a table of the Iceberg catalog; all else is in the local file, or temporary."""
        return bool(relation.database == self.config.credentials.database)

    @available.parse_none
    def namesake(self, relation: AnyRelation) -> AnyRelation:
        """What the other place holds under the model's name, from the time when it was a view, or a table."""
        credentials = self.config.credentials
        if self.is_in_catalog(relation):
            place = (credentials.local_database, credentials.schema_of(relation.schema))
        else:
            place = (credentials.database, credentials.namespace_of(relation.schema))
        return self.get_relation(*place, relation.identifier)

    def submit_python_job(self, parsed_model: dict[str, Any], compiled_code: str) -> Any:
        """Run a Python model; dbt-duckdb makes an event loop for a thread without one, and would never close it."""
        if threading.current_thread() is threading.main_thread():
            return super().submit_python_job(parsed_model, compiled_code)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return super().submit_python_job(parsed_model, compiled_code)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    # what a table is made of

    @available.parse(lambda *_, **__: "")
    def storable_select(self, sql: str) -> str:
        """The query, with its columns cast to what a table of the catalog can hold."""
        with self._in_plain_words():
            found = self._columns(sql)
        # the text between is the model's own
        return sql if found.is_as_stored else f"SELECT {found.select} FROM (\n{sql}\n) AS model_subq"  # noqa: S608 # nosec B608 - names of our own

    @available.parse(lambda *_, **__: {})
    def replace_table(
        self, relation: AnyRelation, sql: str, model: Mapping[str, Any], *, describe: Mapping[str, bool]
    ) -> dict[str, Any]:
        """Make the query's rows the table's, in one commit.

        Args:
            relation: The table.
            sql: The query.
            model: The node, as the context of its materialization has it.
            describe: Whether `relation` and `columns` are described, from `persist_docs`.

        Returns:
            `message`, `code` and `rows`, for dbt's record of the model.
        """
        with self._in_plain_words():
            found = self._columns(sql)
            identifier = (*listing.levels(relation.schema), relation.identifier)
            table = wanted(identifier, found.schema, model, describe)
            with self._commit_span(relation) as commit:
                replaced = Replacement(self._catalog, self._run, table).do(sql, found.select)
                commit.set_attributes({"iceberg.snapshot_id": str(replaced.snapshot_id), "iceberg.rows": replaced.rows})
        self.commit_if_has_connection()  # what DuckDB has read of the table in this transaction is old now
        code = "CREATE" if replaced.created else "REPLACE"
        return {"message": f"{code} {replaced.rows}", "code": code, "rows": replaced.rows}

    @contextmanager
    def _commit_span(self, relation: AnyRelation) -> Iterator[Span]:
        """A span for one commit, below the invocation's: dbt's threads do not inherit who called it."""
        token = context.attach(self._caller)
        try:
            table = f"{relation.schema}.{relation.identifier}"
            with span(f"iceberg commit {relation.identifier}", **{"iceberg.table": table}) as current:
                yield current
        finally:
            context.detach(token)

    @available.parse_none
    def describe_table(self, relation: AnyRelation, comment: str | None, docs: Mapping[str, str]) -> None:
        """Write the descriptions of a table and of its columns into the catalog, where they differ."""
        with self._in_plain_words():
            table = listing.load(self._catalog, relation.schema, relation.identifier)
            if table is not None:
                listing.describe(table, comment, docs)

    # schemas and relations

    def list_schemas(self, database: str) -> list[str]:
        """The schemas of the local file, or the catalog's namespaces."""
        with self._in_plain_words():
            if database == self.config.credentials.database:
                return listing.namespaces(self._catalog, self.config.credentials.namespace)
            return self._locals.schemas()

    @available.parse(lambda *_, **__: False)
    def check_schema_exists(self, database: str, schema: str) -> bool:
        """Whether there is such a schema or namespace."""
        return schema.lower() in (name.lower() for name in self.list_schemas(database))

    @available.parse_none
    def create_schema(self, relation: AnyRelation) -> None:
        """Make the schema or the namespace, and all above it."""
        if not self.is_in_catalog(relation):
            super().create_schema(relation)
            self._locals.add_schema(relation.schema)
            return
        with self._in_plain_words():
            listing.make_namespace(self._catalog, relation.schema)

    @available.parse_none
    def drop_schema(self, relation: AnyRelation) -> None:
        """Drop the schema or the namespace, with all that is in it."""
        if not self.is_in_catalog(relation):
            super().drop_schema(relation)
            self._locals.drop_schema(relation.schema)
            return
        with self._in_plain_words():
            listing.drop_namespace(self._catalog, relation.schema)
        self.cache.drop_schema(relation.database, relation.schema)

    def list_relations_without_caching(self, schema_relation: AnyRelation) -> list[AnyRelation]:
        """The relations of a schema or namespace."""
        with self._in_plain_words():
            if self.is_in_catalog(schema_relation):
                found = [(name, "table") for name in listing.tables(self._catalog, schema_relation.schema)]
            else:
                found = self._locals.relations(schema_relation.schema)
        quoting = {"database": True, "schema": True, "identifier": True}
        return [
            self.Relation.create(
                database=schema_relation.database,
                schema=schema_relation.schema,
                identifier=name,
                quote_policy=quoting,
                type=self.Relation.get_relation_type(kind),
            )
            for name, kind in found
        ]

    @available.parse_none
    def drop_relation(self, relation: AnyRelation) -> None:
        """Drop it; a table's files stay in the store."""
        if not self.is_in_catalog(relation):
            super().drop_relation(relation)  # type: ignore[no-untyped-call]
            return
        self.cache_dropped(relation)
        with self._in_plain_words():
            listing.drop_table(self._catalog, relation.schema, relation.identifier)

    # what dbt makes in the local file

    @available
    def cache_added(self, relation: AnyRelation) -> str:
        """Dbt made a relation."""
        self.note_local(relation)
        return str(super().cache_added(relation))

    @available
    def cache_dropped(self, relation: AnyRelation) -> str:
        """Dbt drops a relation."""
        if relation is not None and relation.database == self.config.credentials.local_database:
            self._locals.drop(relation.schema, relation.identifier)
        return str(super().cache_dropped(relation))

    @available
    def cache_renamed(self, from_relation: AnyRelation, to_relation: AnyRelation) -> str:
        """Dbt gives a relation another name."""
        if from_relation is not None and from_relation.database == self.config.credentials.local_database:
            self._locals.drop(from_relation.schema, from_relation.identifier)
        self.note_local(to_relation)
        return str(super().cache_renamed(from_relation, to_relation))

    @available.parse(lambda *_, **__: "")
    def note_local(self, relation: AnyRelation) -> str:
        """Remember a relation of the local file."""
        if relation is not None and relation.database == self.config.credentials.local_database and relation.identifier:
            self._locals.add(relation.schema, relation.identifier, str(relation.type or "table"))
        return ""

    # documentation

    def _get_one_catalog(
        self, information_schema: InformationSchema, schemas: set[str], used_schemas: frozenset[tuple[str, str]]
    ) -> agate.Table:
        places = (
            self.Relation.create(database=information_schema.database, schema=schema, identifier="")
            for schema in sorted(schemas)
        )
        found = [relation for place in places for relation in self.list_relations_without_caching(place)]
        return self._get_one_catalog_by_relations(information_schema, found, used_schemas)

    def _get_one_catalog_by_relations(
        self,
        information_schema: InformationSchema,  # noqa: ARG002 - the base class calls it so
        relations: Iterable[AnyRelation],
        used_schemas: frozenset[tuple[str, str]],
    ) -> agate.Table:
        with self._in_plain_words():
            rows = [row for relation in relations for row in self._catalog_rows(relation)]
        table = table_from_rows([[row.get(name) for name in _CATALOG_COLUMNS] for row in rows], _CATALOG_COLUMNS)
        return self._catalog_filter_table(table, used_schemas)

    def get_filtered_catalog(
        self,
        relation_configs: Iterable[RelationConfig],
        used_schemas: frozenset[tuple[str, str]],
        relations: set[AnyRelation] | None = None,
    ) -> tuple[agate.Table, list[Exception]]:
        """What `catalog.json` says, of the relations asked for; dbt looks for them by the names of the project."""
        named = None if relations is None else {self._as_named(relation) for relation in relations}
        found: tuple[agate.Table, list[Exception]] = super().get_filtered_catalog(relation_configs, used_schemas, named)
        return found

    def _as_named(self, relation: AnyRelation) -> AnyRelation:
        if not self.is_in_catalog(relation):
            return relation
        return relation.incorporate(path={"schema": self.config.credentials.schema_of(relation.schema)})

    def _catalog_rows(self, relation: AnyRelation) -> Iterator[dict[str, Any]]:
        """Dbt looks a node up by the schema that the project names, a source by its own."""
        place = {"table_database": relation.database, "table_name": relation.identifier}
        if self.is_in_catalog(relation):
            credentials = self.config.credentials
            places = (credentials.namespace_of(relation.schema), relation.schema)  # a node's; a source's
            tables = (listing.load(self._catalog, namespace, relation.identifier) for namespace in places)
            table = next((found for found in tables if found is not None), None)
            schemas = {relation.schema, credentials.schema_of(relation.schema)}
            for row in listing.rows(table) if table is not None else ():
                yield from ({**place, **row, "table_schema": schema} for schema in sorted(schemas))
            return
        kinds = {name.lower(): kind for name, kind in self._locals.relations(relation.schema)}
        if relation.identifier.lower() not in kinds:
            return
        kind = "VIEW" if kinds[relation.identifier.lower()] == "view" else "BASE TABLE"
        for position, column in enumerate(self.get_columns_in_relation(relation), start=1):
            row = {"column_name": column.name, "column_index": position, "column_type": column.dtype}
            yield {**place, **row, "table_schema": relation.schema, "table_type": kind}

    # foreign keys: the catalog has none, and looking for them goes through every table of it

    def _catalog_supports_foreign_keys(self, database: str) -> bool:  # noqa: ARG002
        return False

    def _acquire_foreign_key_lock(self, model: Any) -> bool:  # noqa: ARG002
        return False

    # the way to DuckDB and to the catalog

    @property
    def _environment(self) -> IcebergEnvironment:
        _ = self.connections.get_thread_connection().handle  # opens what is not open yet
        return DuckDBIcebergConnectionManager.environment()

    @property
    def _catalog(self) -> Catalog:
        return self._environment.catalog

    @property
    def _locals(self) -> Locals:
        found = self._environment.locals
        if found is None:
            raise DbtRuntimeError("the local file is not open")
        return found

    @property
    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection = self.connections.get_thread_connection().handle.cursor()
        return cursor

    def _run(self, sql: str) -> Sequence[Mapping[str, Any]]:
        """Run a statement as dbt does, which logs it."""
        _, cursor = self.connections.add_query(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _columns(self, sql: str) -> Columns:
        with self.connections.exception_handler(sql):
            bound = self._cursor.sql(f"SELECT * FROM (\n{sql}\n) AS model_subq")  # noqa: S608 # nosec B608 - names of our own
            return columns(bound.columns, bound.types)

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        """Errors as dbt prints them: one text, with the next step, without a stack trace or a secret."""
        credentials = self.config.credentials
        try:
            yield
        except FloeError as error:
            self.connections.rollback_if_open()
            raise DbtRuntimeError(redacted(str(error), credentials)) from None
        except (RESTError, OSError) as error:
            if not isinstance(error, (RESTError, RequestException)) and not is_away(error):
                raise
            self.connections.rollback_if_open()
            raise DbtRuntimeError(str(explained(error, credentials))) from None

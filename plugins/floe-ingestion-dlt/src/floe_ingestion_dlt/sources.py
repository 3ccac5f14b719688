"""What a product writes under `sources[].config`: files, a REST API, or tables of a database."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from floe_core.plugins import PluginConfig
from floe_core.spec.secrets import SecretRef, Setting
from pydantic import ConfigDict, Field, RootModel, StrictBool, StrictInt, field_validator, model_validator

from floe_ingestion_dlt.config import FilesUrl, ObjectStore

Words: TypeAlias = Annotated[str, Field(min_length=1, max_length=1024)]


Column: TypeAlias = Annotated[
    str,
    Field(
        max_length=63,
        pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
        description="lower-case letters, digits and single underscores: dlt keeps such a name as it is",
        examples=["raw_orders"],
    ),
]


class _Source(PluginConfig):
    """Built at its first use: importing the plugin stays cheap."""

    model_config = ConfigDict(defer_build=True)


class Incremental(_Source):
    """Only rows whose cursor is not behind the last one loaded.

    Attributes:
        cursor: The field that grows, such as `updated_at` or `id`.
        initial: What a first load starts from.
        start_param: REST only: the query parameter that tells the server where to start.
    """

    cursor: Words
    initial: StrictInt | str | None = None
    start_param: Words | None = None


class Table(_Source):
    """How the rows of one table are written.

    Attributes:
        table: The table's name.
        write_disposition: `append` adds rows, `replace` puts them in the place of all, `merge` updates by key.
        primary_key: Columns that name a row; `merge` needs them.
        incremental: Take only what is new.
        schema_contract: `evolve` adds new columns, `freeze` makes them an error once the table exists.
    """

    table: Column
    write_disposition: Literal["append", "replace", "merge"] = "append"
    primary_key: tuple[Column, ...] = ()
    incremental: Incremental | None = None
    schema_contract: Literal["evolve", "freeze"] = "evolve"

    @model_validator(mode="after")
    def _whole(self) -> Table:
        if self.write_disposition == "merge" and not self.primary_key:
            raise ValueError("merge needs a primary_key")
        if self.write_disposition == "replace" and self.incremental is not None:
            raise ValueError("replace takes all rows, so incremental would lose the older ones")
        return self


class FilesSource(Table):
    """CSV, JSON lines or Parquet files, each matching file a part of one table.

    Attributes:
        kind: `files`.
        url: A folder (absolute, or relative to the product's), or `s3://bucket/prefix`.
        glob: Which files below it.
        format: What is in them.
        only_new: Whether files that an earlier load took are left out, by their time of change.
        required: Whether it is an error when no file matches.
        store: How a bucket is reached.
    """

    kind: Literal["files"]
    url: FilesUrl
    glob: Words = "**/*"
    format: Literal["csv", "jsonl", "parquet"]
    only_new: StrictBool = False
    required: StrictBool = True
    store: ObjectStore = Field(default_factory=ObjectStore)

    @model_validator(mode="after")
    def _all_or_new(self) -> FilesSource:
        if self.only_new and self.write_disposition == "replace":
            raise ValueError("replace takes all files, so only_new would lose the older ones")
        return self


class BearerAuth(_Source):
    """`Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: SecretRef


class ApiKeyAuth(_Source):
    """A key in a header, or as a query parameter."""

    type: Literal["api_key"]
    name: Words = "Authorization"
    key: SecretRef
    location: Literal["header", "query"] = "header"


class BasicAuth(_Source):
    """HTTP basic authentication."""

    type: Literal["basic"]
    username: Setting
    password: SecretRef


class PageNumber(_Source):
    """Pages by number, until one is empty or the total is reached."""

    type: Literal["page_number"]
    base_page: Annotated[int, Field(ge=0, strict=True)] = 0
    page_param: Words = "page"
    total_path: Words | None = None


class Offset(_Source):
    """Pages by offset, until one is empty or the total is reached."""

    type: Literal["offset"]
    limit: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    offset_param: Words = "offset"
    limit_param: Words = "limit"
    total_path: Words | None = None


class Cursor(_Source):
    """The answer holds a mark that the next request gives back."""

    type: Literal["cursor"]
    cursor_path: Words
    cursor_param: Words = "cursor"


class JsonLink(_Source):
    """The answer holds the URL of the next page."""

    type: Literal["json_link"]
    next_url_path: Words = "next"


class HeaderLink(_Source):
    """The header `Link` holds the URL of the next page."""

    type: Literal["header_link"]


class SinglePage(_Source):
    """There is one page."""

    type: Literal["single_page"]


Auth: TypeAlias = Annotated[BearerAuth | ApiKeyAuth | BasicAuth, Field(discriminator="type")]
Paginator: TypeAlias = Annotated[
    PageNumber | Offset | Cursor | JsonLink | HeaderLink | SinglePage, Field(discriminator="type")
]


class Endpoint(Table):
    """One endpoint, one table.

    Attributes:
        path: Below the base URL.
        params: Query parameters that are always sent.
        data_selector: Where in an answer the rows are, as a JSON path; guessed when it is left out.
        paginator: How pages follow each other; that of the source when it is left out.
    """

    path: Words
    params: dict[Words, str | StrictInt] = Field(default_factory=dict)
    data_selector: Words | None = None
    paginator: Paginator | None = None


class RestSource(_Source):
    """A REST API that answers in JSON.

    Attributes:
        kind: `rest_api`.
        base_url: Where it is, or a reference to it.
        auth: How it knows us.
        paginator: How pages follow each other, unless an endpoint says otherwise.
        headers: Headers that are always sent; no secrets.
        endpoints: What is loaded.
    """

    kind: Literal["rest_api"]
    base_url: Setting
    auth: Auth | None = None
    paginator: Paginator = SinglePage(type="single_page")
    headers: dict[Words, str] = Field(default_factory=dict)
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1, max_length=1000)]

    @field_validator("base_url")
    @classmethod
    def _http(cls, url: Setting) -> Setting:
        if isinstance(url, str) and not url.startswith(("http://", "https://")):
            raise ValueError("a URL begins with http:// or https://")
        return url

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        if any(name.lower() in {"authorization", "cookie", "x-api-key"} for name in headers):
            raise ValueError("credentials go under auth, by reference")
        return headers


class SqlTable(Table):
    """One table of a database.

    Attributes:
        from_table: Its name there; that of the table written when it is left out.
    """

    from_table: Words | None = None


class SqlSource(_Source):
    """Tables of a database that SQLAlchemy has a driver for.

    Attributes:
        kind: `sql`.
        url: Where SQLAlchemy's URL lies; it holds a password, so it is a secret as a whole.
        db_schema: The schema to read; the database's default when it is left out. Written `schema`.
        tables: What is loaded.
        chunk_rows: Rows fetched at a time.
    """

    kind: Literal["sql"]
    url: SecretRef
    db_schema: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(None, alias="schema")
    tables: Annotated[tuple[SqlTable, ...], Field(min_length=1, max_length=1000)]
    chunk_rows: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 10_000


AnySource: TypeAlias = FilesSource | RestSource | SqlSource


class DltSource(RootModel[Annotated[AnySource, Field(discriminator="kind")]]):
    """The settings of one source; `kind` says which."""

    model_config = ConfigDict(frozen=True, defer_build=True, hide_input_in_errors=True)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table that the source fills."""
        root: Any = self.root
        if isinstance(root, FilesSource):
            return (root,)
        return tuple(root.endpoints if isinstance(root, RestSource) else root.tables)

    @model_validator(mode="after")
    def _each_table_once(self) -> DltSource:
        seen: set[str] = set()
        for one in self.tables:
            if one.table.lower() in seen:
                raise ValueError(f"two parts of the source fill the table {one.table}")
            seen.add(one.table.lower())
        return self

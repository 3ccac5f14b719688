"""The configuration of the plugin `cube`."""

from __future__ import annotations

from typing import Annotated, Literal

from floe_core.plugins import PluginConfig
from floe_core.spec.secrets import SecretRef, Setting
from pydantic import Field, StrictBool, field_validator, model_validator

Member = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)]
EVERY = r"^[1-9][0-9]* (second|minute|hour|day|week)s?$"


class Selection(PluginConfig):
    """Which dbt models become cubes: those that one of these names.

    Attributes:
        tags: dbt tags.
        prefixes: Beginnings of model names.
        output_ports: Whether the product's output ports do.
    """

    tags: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = ("marts",)
    prefixes: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = ("mart_",)
    output_ports: StrictBool = True

    @model_validator(mode="after")
    def _something(self) -> Selection:
        if not (self.tags or self.prefixes or self.output_ports):
            raise ValueError("name a tag or a prefix, or select the output ports; nothing else selects a model")
        return self


class IcebergSource(PluginConfig):
    """How Cube's DuckDB reaches the object store of the Iceberg lane.

    Cube's driver takes the store and its extensions from the environment. Attaching a catalog takes `initSql` in
    Cube's own configuration file; `CubeConfig.database` then names what is attached there.

    Attributes:
        endpoint: Host and port of the store without a scheme, or a reference to it; empty for AWS.
        region: The region, or a reference to it.
        use_ssl: Whether the store is reached over TLS.
        url_style: `path` for stores other than AWS.
        access_key: Where the key id lies.
        secret_key: Where the secret lies.
    """

    endpoint: Setting = ""
    region: Setting = "us-east-1"
    use_ssl: StrictBool = True
    url_style: Literal["path", "vhost"] = "path"
    access_key: SecretRef = SecretRef(env="AWS_ACCESS_KEY_ID")
    secret_key: SecretRef = SecretRef(env="AWS_SECRET_ACCESS_KEY")


class CubeConfig(PluginConfig):
    """What of the dbt project is told to Cube, and how Cube reaches the data.

    Attributes:
        select: Which models become cubes.
        views: Whether each cube gets a view, with the public members of the cubes that it joins.
        numeric_measures: `sum` gives a measure `total_<column>` for every numeric column that can be added up;
            `none` leaves measures to `meta.cube`. See `measures.py` for the rule.
        hidden_classifications: Columns so classified are not public.
        refresh_every: How often Cube looks for new data, for example `1 hour`; Cube's default when empty.
        data_source: The name of Cube's data source.
        database: Replaces the database in `sql_table`, where Cube knows it under another name than dbt does.
        database_path: The database file as Cube sees it, with `{product}` and `{lane}` filled in.
        iceberg: How the Iceberg lane is reached; without it only the DuckDB lane can be.
        api_secret: Where the secret lies that Cube's tokens are signed with.
        server_url: Cube's address, or a reference to it; empty where no server is asked for its health.
    """

    select: Selection = Field(default_factory=Selection)
    views: StrictBool = True
    numeric_measures: Literal["sum", "none"] = "sum"
    hidden_classifications: tuple[Annotated[str, Field(min_length=1, max_length=63)], ...] = ("pii",)
    refresh_every: Annotated[str, Field(pattern=rf"^$|{EVERY}", examples=["1 hour"])] = ""
    data_source: Member = "default"
    database: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9_]*$")] = ""
    database_path: Annotated[str, Field(min_length=1, max_length=1024)] = "/data/{product}-{lane}.duckdb"
    iceberg: IcebergSource | None = None
    api_secret: SecretRef = SecretRef(env="CUBEJS_API_SECRET")
    server_url: Setting = ""

    @field_validator("server_url")
    @classmethod
    def _http(cls, url: Setting) -> Setting:
        if isinstance(url, str) and url and not url.startswith(("http://", "https://")):
            raise ValueError("a URL begins with http:// or https://")
        return url

    @field_validator("database_path")
    @classmethod
    def _placeholders(cls, path: str) -> str:
        filled = path.replace("{product}", "p").replace("{lane}", "l")
        if not filled.isprintable() or any(mark in filled for mark in "{}'\"\\"):
            raise ValueError("only {product} and {lane} are filled in; quotes and backslashes are not taken")
        return path

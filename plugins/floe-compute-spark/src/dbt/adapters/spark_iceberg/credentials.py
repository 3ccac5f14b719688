"""What a target of this adapter says; `floe_compute_spark.plugin` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dbt.adapters.contracts.connection import Credentials
from floe_compute_spark.settings import ViewKind, of_driver, of_session


@dataclass
class SparkIcebergCredentials(Credentials):
    """A target; dbt resolves its `env_var`s before it is made.

    Attributes:
        database: Always none: Spark's catalogs take its place, and there is one.
        schema: What models without a schema of their own name; their tables lie right in the namespace.
        namespace: The product's namespace in the catalog.
        catalog: Where tables are named; see `of_session`.
        storage: Where they lie; see `of_session`.
        master: Where a driver of our own runs.
        memory: That driver's memory.
        jars: Its jars, separated by commas.
        packages: Maven coordinates that it fetches, separated by commas.
        connect: A server in the place of a driver; empty for none.
        connect_token: What the server wants to see.
        views: What becomes of views.
        settings: Settings of Spark.
        secret_settings: Settings that are never shown.
    """

    database: str | None = None  # type: ignore[assignment] # text in dbt's base, none in every adapter for Spark
    schema: str = "main"
    namespace: str = ""
    catalog: dict[str, Any] = field(default_factory=dict, repr=False)
    storage: dict[str, Any] = field(default_factory=dict, repr=False)
    master: str = "local[2]"
    memory: str = "1g"
    jars: str = ""
    packages: str = ""
    connect: str = ""
    connect_token: str = field(default="", repr=False)
    views: str = ViewKind.TABLES.value
    settings: dict[str, str] = field(default_factory=dict)
    secret_settings: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def type(self) -> str:
        """The adapter's name."""
        return "spark_iceberg"

    @property
    def unique_field(self) -> str:
        """What dbt hashes where it counts connections."""
        return self.connect or self.master

    def _connection_keys(self) -> tuple[str, ...]:
        """What `dbt debug` and macros see as `target`: no secret."""
        return ("master", "connect", "schema", "namespace", "views")

    def driver_settings(self) -> dict[str, str]:
        """What a driver is started with."""
        started = of_driver(master=self.master, memory=self.memory, jars=self.jars, packages=self.packages)
        return started | self.settings

    def session_settings(self) -> dict[str, str]:
        """What a session is told; holds secrets."""
        return of_session(self.catalog, self.storage) | self.secret_settings

    def remote(self) -> str:
        """The server's URL with the token in it; for memory only."""
        if not self.connect_token:
            return self.connect
        base = self.connect if "/;" in self.connect else f"{self.connect.rstrip('/')}/"
        return f"{base};token={self.connect_token}"

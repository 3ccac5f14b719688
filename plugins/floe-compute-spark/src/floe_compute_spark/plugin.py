"""The compute plugin `spark`: models run in Apache Spark, their tables lie in the Iceberg catalog.

Spark and dbt's adapter for it are an extra of this distribution (`floe-compute-spark[spark]`): choosing, validating
and compiling need neither, a build does.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Final

from floe_core.plugins import ComputePlugin, Lane, LaneNotSupportedError, PluginConfig, TargetRequest
from floe_core.spec.env_var import written
from floe_core.spec.literals import is_secret_name
from floe_core.spec.secrets import SecretRef
from pydantic import Field, field_validator

from floe_compute_spark.settings import ViewKind

JARS_ENV: Final = "FLOE_SPARK_JARS"
"""Names the jars, separated by commas, that a driver is started with where the configuration names none."""
_SETTING: Final = re.compile(r"spark\.[A-Za-z0-9_.-]{1,200}")
_HOST: Final = r"[A-Za-z0-9.\-]+"


class SparkConfig(PluginConfig):
    """Where Spark runs, and with what.

    Attributes:
        master: Where a driver that is started in the build's own process finds its executors: `local[2]` has none
            but itself, `spark://host:7077` is a cluster of Spark's own, `k8s://https://host:6443` starts pods.
        connect: A Spark Connect server to build with in the place of a driver of our own, `sc://host:15002`; master,
            memory, jars and packages are then the server's.
        connect_token: Where the token that the server wants lies.
        memory: The driver's memory.
        threads: How many models run at the same time.
        jars: URIs of jars with Iceberg's runtime and its S3 client. Empty: those that the variable FLOE_SPARK_JARS
            names, or that Spark has already.
        packages: Maven coordinates that Spark fetches by itself; not needed where jars are there.
        views: What becomes of a model that is a view: a view in the `catalog`, for every engine that speaks Spark's
            dialect, or `tables`, for catalogs that keep no views.
        settings: Settings of Spark by name.
        secrets: Settings of Spark whose values are secrets, by reference.
    """

    master: Annotated[
        str,
        Field(
            pattern=rf"^(local(\[(\*|[1-9][0-9]*)\])?|yarn|spark://{_HOST}:[0-9]+(,{_HOST}:[0-9]+)*"
            rf"|k8s://(https?://)?{_HOST}(:[0-9]+)?)$",
            description="local[N], spark://host:port, k8s://https://host:port or yarn",
            examples=["local[2]", "spark://spark-master:7077", "k8s://https://kubernetes.default.svc:443"],
        ),
    ] = "local[2]"
    connect: Annotated[
        str,
        Field(
            pattern=rf"^(sc://{_HOST}(:[0-9]+)?(/(;(use_ssl|user_id|user_agent)=[^;\s]+)*)?)?$",
            description="sc://host:port, or empty",
            examples=["sc://spark-connect:15002"],
        ),
    ] = ""
    connect_token: SecretRef | None = None
    memory: Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$", description="a size", examples=["4g"])] = "1g"
    threads: Annotated[int, Field(ge=1, le=256, strict=True)] = 2
    jars: tuple[Annotated[str, Field(pattern=r"^[^\s,{}'\"]+$", max_length=1024)], ...] = ()
    packages: tuple[Annotated[str, Field(pattern=r"^[\w.\-]+:[\w.\-]+:[\w.\-]+$", max_length=256)], ...] = ()
    views: ViewKind = ViewKind.TABLES
    settings: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, SecretRef] = Field(default_factory=dict)

    @field_validator("settings", "secrets")
    @classmethod
    def _of_spark(cls, named: dict[str, Any]) -> dict[str, Any]:
        if any(not _SETTING.fullmatch(name) for name in named):
            raise ValueError("settings of Spark begin with spark. and hold letters, digits, _, - and dots")
        return named

    @field_validator("settings")
    @classmethod
    def _no_secret(cls, named: dict[str, str]) -> dict[str, str]:
        if any(is_secret_name(name.replace(".", "")) for name in named):
            raise ValueError("a setting that is a secret goes below secrets, by reference")
        if any("{{" in value or "{%" in value for value in named.values()):
            raise ValueError("a setting is plain text; what differs between machines goes below secrets, by reference")
        return named


class SparkComputePlugin(ComputePlugin[SparkConfig]):
    """Apache Spark, in the build's own process, on a cluster, or behind a Spark Connect server."""

    name: ClassVar[str] = "spark"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.compute.spark"
    description: ClassVar[str] = "Apache Spark on Iceberg tables, for what one machine is too small for"
    config_model: ClassVar[type[PluginConfig]] = SparkConfig
    adapter: ClassVar[str] = "dbt-spark"
    lanes: ClassVar[frozenset[Lane]] = frozenset({Lane.ICEBERG})

    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        """The profile output of the adapter `spark_iceberg`; see `ComputePlugin.dbt_target`.

        Raises:
            LaneNotSupportedError: Another lane than Iceberg's was asked for, or it was without a catalog or a store.
        """
        if request.lane is not Lane.ICEBERG:
            raise LaneNotSupportedError(
                f"spark cannot build {request.product} in the lane {request.lane}",
                why="it leaves its tables in an Iceberg catalog only",
                remedy=f"build in the lane {Lane.ICEBERG}, or choose compute: duckdb",
            )
        if request.catalog is None or request.storage is None:
            raise LaneNotSupportedError(
                f"spark cannot build {request.product} in the lane {request.lane}",
                why="it is not told where the catalog and the object store are",
                remedy="choose plugins.catalog and plugins.storage in the manifest",
            )
        config = self.config
        return {
            "type": "spark_iceberg",
            "schema": "main",
            "namespace": request.namespace,
            "threads": config.threads,
            "views": config.views.value,
            **(self._server() if config.connect else self._driver()),
            "settings": dict(config.settings),
            "secret_settings": {name: written(where) for name, where in config.secrets.items()},
            "catalog": {name: value for name, value in asdict(request.catalog).items() if value},
            "storage": {name: value for name, value in asdict(request.storage).items() if value != ""},
        }

    def _server(self) -> dict[str, Any]:
        token = self.config.connect_token
        return {"connect": self.config.connect} | ({"connect_token": written(token)} if token else {})

    def _driver(self) -> dict[str, Any]:
        config = self.config
        jars = ",".join(config.jars) or f"{{{{ env_var('{JARS_ENV}', '') }}}}"
        return {"master": config.master, "memory": config.memory, "jars": jars, "packages": ",".join(config.packages)}

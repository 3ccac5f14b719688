"""The configuration of the plugin `dlt`: where rows go."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from floe_core.plugins import PluginConfig
from floe_core.spec.secrets import SecretRef, Setting
from pydantic import AfterValidator, Field, model_validator


def _known_store(url: str) -> str:
    if "://" in url and not url.startswith("s3://"):
        raise ValueError("a place is a folder, or a bucket written s3://bucket/prefix")
    return url


FilesUrl: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=2048, examples=["s3://floe-raw/landing"]), AfterValidator(_known_store)
]


class ObjectStore(PluginConfig):
    """How a store that speaks S3 is reached; without keys the usual AWS variables are looked at.

    Attributes:
        endpoint: URL of the service, or a reference to it; empty for AWS.
        region: The region, or a reference to it.
        access_key: Where the key id lies.
        secret_key: Where the secret lies.
    """

    endpoint: Setting = ""
    region: Setting = "us-east-1"
    access_key: SecretRef | None = None
    secret_key: SecretRef | None = None

    @model_validator(mode="after")
    def _both_keys(self) -> ObjectStore:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key are given together or not at all")
        return self


class DuckDBDestination(PluginConfig):
    """The database file of the build; a dataset is a schema in it.

    Attributes:
        kind: `duckdb`.
        path: The file where the request names none, relative to the product's folder.
    """

    kind: Literal["duckdb"] = "duckdb"
    path: Annotated[str, Field(min_length=1, max_length=1024)] = "target/landing.duckdb"


class FilesystemDestination(PluginConfig):
    """Parquet files below a folder or a bucket: `<url>/<dataset>/<table>/`.

    Attributes:
        kind: `filesystem`.
        url: A folder (absolute, or relative to the product's), or `s3://bucket/prefix`.
        store: How the bucket is reached.
    """

    kind: Literal["filesystem"]
    url: FilesUrl
    store: ObjectStore = Field(default_factory=ObjectStore)


Destination: TypeAlias = Annotated[DuckDBDestination | FilesystemDestination, Field(discriminator="kind")]


class DltConfig(PluginConfig):
    """How dlt runs and where it writes.

    Attributes:
        destination: Where rows go.
        request_timeout_s: Seconds that one HTTP answer may take.
        request_attempts: How often an HTTP request is tried, with growing pauses.
    """

    destination: Destination = Field(default_factory=DuckDBDestination)
    request_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    request_attempts: Annotated[int, Field(ge=1, le=10, strict=True)] = 3

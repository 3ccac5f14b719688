"""The storage plugin `s3`: any store that speaks S3."""

from __future__ import annotations

from typing import Annotated, ClassVar

from floe_core.errors import FloeError
from floe_core.plugins import HealthState, HealthStatus, PluginConfig, StorageAddress, StoragePlugin
from floe_core.spec.env_var import written
from floe_core.spec.secrets import SecretRef, Setting, resolved
from pydantic import Field, StrictBool, model_validator

ACCESS_KEY_ENV = "AWS_ACCESS_KEY_ID"
SECRET_KEY_ENV = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable, no secret


class S3Config(PluginConfig):
    """How the store is reached.

    Attributes:
        bucket: The warehouse bucket.
        prefix: A path in the bucket below which everything lies; none when empty.
        endpoint: URL of the service, or a reference to it; empty for the provider's own.
        region: The region, or a reference to it.
        path_style: Whether the bucket is a part of the path; stores other than AWS want it.
        access_key: Where the key id lies.
        secret_key: Where the secret lies.
    """

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["floe-iceberg"])]
    prefix: Annotated[str, Field(max_length=512, pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$")] = ""
    endpoint: Setting = ""
    region: Setting = "us-east-1"
    path_style: StrictBool = True
    access_key: SecretRef | None = SecretRef(env=ACCESS_KEY_ENV)
    secret_key: SecretRef | None = SecretRef(env=SECRET_KEY_ENV)

    @model_validator(mode="after")
    def _both_keys(self) -> S3Config:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key are given together or not at all")
        return self


class S3StoragePlugin(StoragePlugin[S3Config]):
    """An S3 object store; credentials stay references until a client needs them."""

    name: ClassVar[str] = "s3"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.storage.s3"
    description: ClassVar[str] = "any object store that speaks S3"
    config_model: ClassVar[type[PluginConfig]] = S3Config

    def fileio_properties(self) -> dict[str, str]:
        """PyIceberg's `s3.*` properties with the secrets resolved; for memory only.

        Raises:
            SecretUnavailableError: A reference points to nothing.
        """
        config = self.config
        properties = {
            "s3.region": resolved(config.region),
            "s3.force-virtual-addressing": str(not config.path_style).lower(),
        }
        if endpoint := resolved(config.endpoint):
            properties["s3.endpoint"] = endpoint
        if config.access_key is not None and config.secret_key is not None:
            properties["s3.access-key-id"] = resolved(config.access_key)
            properties["s3.secret-access-key"] = resolved(config.secret_key)
        return properties

    def warehouse_uri(self, namespace: str = "") -> str:
        """`s3://bucket[/prefix][/namespace]`; dots in `namespace` separate levels."""
        parts = [self.config.bucket, self.config.prefix, *namespace.split(".")]
        return "s3://" + "/".join(part for part in parts if part)

    def address(self) -> StorageAddress:
        """Where the store is; see `StoragePlugin.address`."""
        config = self.config
        keys = {}
        if config.access_key is not None and config.secret_key is not None:
            keys = {"access_key": written(config.access_key), "secret_key": written(config.secret_key)}
        return StorageAddress(written(config.endpoint), written(config.region), **keys, path_style=config.path_style)

    def health_check(self, timeout_s: float) -> HealthStatus:
        """A signed HEAD of the bucket; an anonymous one would say 403 for what exists and what does not."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            properties = self.fileio_properties()
        except FloeError as error:
            return HealthStatus(HealthState.UNHEALTHY, f"{error.what}: {error.why}")
        options = Config(
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if self.config.path_style else "virtual"},
        )
        client = boto3.client(
            "s3",
            endpoint_url=properties.get("s3.endpoint"),
            region_name=properties["s3.region"],
            aws_access_key_id=properties.get("s3.access-key-id"),
            aws_secret_access_key=properties.get("s3.secret-access-key"),
            config=options,
        )
        try:
            client.head_bucket(Bucket=self.config.bucket)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return HealthStatus(HealthState.UNHEALTHY, f"bucket {self.config.bucket}: the store answered {status}")
        except BotoCoreError as error:
            return HealthStatus(HealthState.UNHEALTHY, f"the store does not answer: {type(error).__name__}")
        return HealthStatus(HealthState.HEALTHY, f"bucket {self.config.bucket} is there")

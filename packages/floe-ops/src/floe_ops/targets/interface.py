"""What a target is, and what it hands to those who use the platform."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from floe_core.errors import UsageError

CatalogKind = Literal["polaris-url", "polaris-home", "stand-in"]


@dataclass(frozen=True)
class Platform:
    """A running platform: URLs by endpoint name (`services.toml` names them), and how to sign in.

    Attributes:
        target: `local` or `cluster`.
        catalog_kind: Which server speaks Polaris's protocol here; the verdict repeats it.
        urls: Endpoint name to URL, for example `{"s3": "http://127.0.0.1:9000", "polaris": …}`.
        bucket: The warehouse bucket.
        catalog: The Polaris catalog's name.
        region: The object store's region.
        client_id: The Polaris principal.
        secrets: Values by name (`polaris-client-secret`, `s3-access-key`, `s3-secret-key`); never printed.
    """

    target: str
    catalog_kind: CatalogKind
    urls: dict[str, str]
    bucket: str = "floe-iceberg"
    catalog: str = "floe-e2e"
    region: str = "us-east-1"
    client_id: str = "root"
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def environment(self) -> dict[str, str]:
        """Environment for child processes: the usual names, so that every client finds its way by itself."""
        return {
            "FLOE_TARGET": self.target,
            "FLOE_POLARIS_URL": self.urls["polaris"],
            "FLOE_POLARIS_MANAGEMENT_URL": self.urls["polaris-management"],
            "FLOE_CATALOG": self.catalog,
            "FLOE_BUCKET": self.bucket,
            "POLARIS_CLIENT_ID": self.client_id,
            "POLARIS_CLIENT_SECRET": self.secrets["polaris-client-secret"],
            "AWS_ENDPOINT_URL_S3": self.urls["s3"],
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.secrets["s3-access-key"],
            "AWS_SECRET_ACCESS_KEY": self.secrets["s3-secret-key"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.urls["otlp-http"],
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }


class Target(ABC):
    """A place where the platform can run."""

    name: str

    @abstractmethod
    def ensure(self) -> Platform:
        """Bring up what is not up and return the platform when every service is ready; idempotent.

        Raises:
            MissingToolError: A tool cannot be had.
            NotReadyError: A service did not become ready in time; holds its last log lines.
        """

    @abstractmethod
    def find(self) -> Platform | None:
        """The running platform, or None; starts nothing."""

    @abstractmethod
    def down(self) -> None:
        """End every process of the platform and keep its data."""

    @abstractmethod
    def reset(self) -> None:
        """End every process and wipe the data."""


def current(name: str | None = None) -> Target:
    """The target asked for by name, else by `FLOE_TARGET`, else `local`.

    Raises:
        UsageError: No target has that name.
    """
    wanted = name or os.environ.get("FLOE_TARGET") or "local"
    if wanted == "local":
        from floe_ops.targets.local import LocalTarget

        return LocalTarget()
    raise UsageError(
        f"there is no target named {wanted!r}",
        where="--target or FLOE_TARGET",
        why="the targets are: local",
        remedy="leave FLOE_TARGET unset or set it to local",
    )

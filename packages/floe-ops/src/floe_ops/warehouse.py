"""The warehouse: which Polaris catalog over which bucket, where they answer, and how to sign in.

One place decides where these values come from, for the wait, the bootstrap, the token and the scripts:

1. `FLOE_POLARIS_URL` in the environment names the server; everything else is read from the environment too, and what
   is missing there comes from the running platform, but only when that platform serves the same URL: its secrets
   never go to another server.
2. Without it, the running platform of the target.

The management URL is `FLOE_POLARIS_MANAGEMENT_URL`, else port 8182 beside port 8181. For any other port it cannot be
guessed: health is then judged by the API port.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from floe_catalog_polaris.urls import default_management_url, server_url
from floe_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from floe_catalog_polaris.client import PolarisClient
    from floe_catalog_polaris.models import CatalogSpec
    from floe_catalog_polaris.transport import Timeouts

    from floe_ops.clients.object_store import ObjectStore
    from floe_ops.targets.interface import Platform

CATALOG, BUCKET, REGION = "floe-e2e", "floe-iceberg", "us-east-1"


@dataclass(frozen=True)
class Warehouse:
    """Where the catalog and its bucket are, and how to sign in; an empty string is a value nobody gave.

    Attributes:
        url: The Polaris server.
        management_url: Its management port; None where it is not known.
        catalog: The catalog's name.
        location: The catalog's base location; None where any will do.
        bucket: The bucket under it.
        client_id: The principal.
        s3_endpoint: The object store as this process reaches it; None where it is not known and not compared.
        catalog_s3_endpoint: The object store as the catalog reaches it, where that is another address: the catalog in
            a cluster knows a name that only its cluster resolves.
        realm: The Polaris realm, where the server wants one named.
        source: Where these values came from, for people.
    """

    url: str
    management_url: str | None
    catalog: str = CATALOG
    location: str | None = f"s3://{BUCKET}"
    bucket: str = BUCKET
    region: str = REGION
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    s3_endpoint: str | None = None
    s3_access_key: str = ""
    s3_secret_key: str = field(default="", repr=False)
    catalog_s3_endpoint: str | None = None
    realm: str | None = None
    source: str = ""

    @property
    def signs_in(self) -> bool:
        """Whether there are credentials for Polaris at all."""
        return bool(self.client_id and self.client_secret)

    def spec(self) -> CatalogSpec:
        """What the catalog should be; the wait and the bootstrap compare it by value.

        A catalog of which no base location is known is not ours: only its name and its types are compared.
        """
        from floe_catalog_polaris.models import CatalogSpec

        if self.location is None:
            return CatalogSpec(name=self.catalog, base_location=None, path_style=None, sts_unavailable=None)
        endpoint = self.catalog_s3_endpoint or self.s3_endpoint
        return CatalogSpec(
            name=self.catalog,
            base_location=self.location,
            endpoint=endpoint,
            region=self.region if endpoint else None,
        )

    def client(self, timeouts: Timeouts | None = None, *, attempts: int = 4) -> PolarisClient:
        """A client that signs in here.

        Raises:
            UsageError: There are no credentials.
        """
        from floe_catalog_polaris.client import PolarisClient

        if not self.signs_in:
            raise no_credentials()
        return PolarisClient(
            self.url,
            self.client_id,
            self.client_secret,
            management_url=self.management_url,
            realm=self.realm,
            timeouts=timeouts,
            attempts=attempts,
        )

    def object_store(self) -> ObjectStore:
        """The object store under the catalog.

        Raises:
            UsageError: Its address or its keys are not known.
        """
        from floe_ops.clients.object_store import ObjectStore

        wanted = {
            "AWS_ENDPOINT_URL_S3": self.s3_endpoint,
            "AWS_ACCESS_KEY_ID": self.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": self.s3_secret_key,
        }
        missing = [name for name, value in wanted.items() if not value]
        if missing or self.s3_endpoint is None:
            raise UsageError(
                "the object store is not known",
                where=f"beside Polaris at {self.url}",
                why=f"not set: {', '.join(missing)}",
                remedy="set them, or run `invoke platform.up` and leave FLOE_POLARIS_URL unset",
            )
        return ObjectStore(self.s3_endpoint, self.s3_access_key, self.s3_secret_key, self.region)

    def named(self, catalog: str, location: str = "") -> Warehouse:
        """The same with another catalog; its base location is compared only where `location` gives one."""
        if not catalog or catalog == self.catalog:
            return replace(self, location=location) if location else self
        return replace(self, catalog=catalog, location=location or None)


def no_credentials() -> UsageError:
    """The error of missing credentials."""
    return UsageError(
        "there are no credentials for Polaris",
        where="POLARIS_CLIENT_ID and POLARIS_CLIENT_SECRET",
        why="FLOE_POLARIS_URL names a server, and no running platform here serves that address",
        remedy="set both, or leave FLOE_POLARIS_URL unset and run `invoke platform.up`",
    )


def of_platform(platform: Platform) -> Warehouse:
    """The warehouse of a running platform."""
    return Warehouse(
        url=server_url(platform.urls["polaris"]),
        management_url=server_url(platform.urls["polaris-management"], name="FLOE_POLARIS_MANAGEMENT_URL"),
        catalog=platform.catalog,
        location=f"s3://{platform.bucket}",
        bucket=platform.bucket,
        region=platform.region,
        client_id=platform.client_id,
        client_secret=platform.secrets["polaris-client-secret"],
        s3_endpoint=platform.urls["s3"],
        s3_access_key=platform.secrets["s3-access-key"],
        s3_secret_key=platform.secrets["s3-secret-key"],
        catalog_s3_endpoint=platform.catalog_s3_endpoint or None,
        source=f"the running platform ({platform.target}, {platform.catalog_kind})",
    )


def find(platform: Callable[[], Platform | None], environ: Mapping[str, str] | None = None) -> Warehouse | None:
    """The warehouse as the module's docstring says, or None when no URL is set and no platform runs.

    Raises:
        UsageError: A URL in the environment is none.
    """
    env = os.environ if environ is None else environ
    named = env.get("FLOE_POLARIS_URL", "")
    if not named:
        running = platform()
        return of_platform(running) if running else None
    url = server_url(named)
    warehouse = _of_environment(url, env)
    if warehouse.signs_in and warehouse.s3_access_key:
        return warehouse
    running = platform()
    if running is None or server_url(running.urls["polaris"]) != url:
        return warehouse
    here = of_platform(running)
    if running.catalog_kind == "polaris-url":  # it only repeats what the environment says
        here = replace(here, management_url=None, client_id=warehouse.client_id, client_secret=warehouse.client_secret)
    return _filled(warehouse, here)


def _of_environment(url: str, env: Mapping[str, str]) -> Warehouse:
    management = env.get("FLOE_POLARIS_MANAGEMENT_URL", "")
    bucket = env.get("FLOE_BUCKET") or BUCKET
    endpoint, stored = env.get("AWS_ENDPOINT_URL_S3", ""), env.get("FLOE_CATALOG_S3_ENDPOINT", "")
    return Warehouse(
        url=url,
        management_url=(
            server_url(management, name="FLOE_POLARIS_MANAGEMENT_URL") if management else default_management_url(url)
        ),
        catalog=env.get("FLOE_CATALOG") or CATALOG,
        location=f"s3://{bucket}",
        bucket=bucket,
        region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or REGION,
        client_id=env.get("POLARIS_CLIENT_ID", ""),
        client_secret=env.get("POLARIS_CLIENT_SECRET", ""),
        s3_endpoint=server_url(endpoint, name="AWS_ENDPOINT_URL_S3") if endpoint else None,
        s3_access_key=env.get("AWS_ACCESS_KEY_ID", ""),
        s3_secret_key=env.get("AWS_SECRET_ACCESS_KEY", ""),
        catalog_s3_endpoint=server_url(stored, name="FLOE_CATALOG_S3_ENDPOINT") if stored else None,
        realm=env.get("POLARIS_REALM") or None,
        source="the environment",
    )


def _filled(given: Warehouse, running: Warehouse) -> Warehouse:
    """`given`, completed by the platform that serves the same URL; no secret goes to another address."""
    result = replace(given, management_url=given.management_url or running.management_url)
    if not given.signs_in:
        result = replace(result, client_id=running.client_id, client_secret=running.client_secret)
    if not given.s3_access_key and given.s3_endpoint in {None, running.s3_endpoint}:
        result = replace(
            result,
            s3_endpoint=running.s3_endpoint,
            s3_access_key=running.s3_access_key,
            s3_secret_key=running.s3_secret_key,
            catalog_s3_endpoint=given.catalog_s3_endpoint or running.catalog_s3_endpoint,
        )
    return replace(result, source=f"the environment and {running.source}")

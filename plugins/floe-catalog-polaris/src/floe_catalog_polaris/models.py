"""What Polaris's management API speaks of: catalogs, principals, roles and grants.

Shapes are those of Apache Polaris 1.4.1 as recorded from a running server; unknown fields are ignored, missing ones
are an error. `CatalogSpec` is what a catalog should be, `Catalog` what the server says it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Value: TypeAlias = str | bool | None
"""A field of a catalog that is compared."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Storage(_Answer):
    """Where a catalog keeps its files, as the server has it; a field the server left out is None."""

    storage_type: str = Field(alias="storageType")
    allowed_locations: tuple[str, ...] = Field(default=(), alias="allowedLocations")
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = Field(default=None, alias="pathStyleAccess")
    sts_unavailable: bool | None = Field(default=None, alias="stsUnavailable")


class Catalog(_Answer):
    """A catalog as the server describes it."""

    name: str
    type: str
    properties: dict[str, str]
    storage: Storage = Field(alias="storageConfigInfo")
    version: int = Field(default=0, alias="entityVersion")

    @property
    def base_location(self) -> str:
        """The location under which its namespaces lie; empty when the server names none."""
        return self.properties.get("default-base-location", "")


class Principal(_Answer):
    """Somebody who can sign in; its secret is not part of it."""

    name: str
    client_id: str = Field(alias="clientId")


class Role(_Answer):
    """A principal role or a catalog role."""

    name: str


class Grant(_Answer):
    """One privilege on one thing; `type` is `catalog`, `namespace`, `table`, `view` or `policy`."""

    type: str
    privilege: str


class WarehouseConfig(_Answer):
    """What `GET /api/catalog/v1/config?warehouse=…` tells an Iceberg client."""

    defaults: dict[str, str] = {}
    overrides: dict[str, str] = {}


class TokenAnswer(_Answer):
    """The answer of the token endpoint; `expires_in` in seconds."""

    access_token: str = Field(min_length=1, repr=False)
    token_type: str
    expires_in: float = Field(default=3600, gt=0)


@dataclass(frozen=True)
class Difference:
    """One field in which a catalog is not what it should be."""

    field: str
    wanted: str
    seen: str

    def __str__(self) -> str:
        return f"{self.field}: wanted {self.wanted}, is {self.seen}"


@dataclass(frozen=True)
class CatalogSpec:
    """What a catalog should be. A field that is None is neither sent nor compared.

    Attributes:
        name: The catalog's name, which Iceberg clients call the warehouse.
        base_location: For example `s3://floe-iceberg`.
        endpoint: The object store's URL as the Polaris server and the clients reach it.
        region: The object store's region.
        path_style: Whether bucket names stand in the path, as stores other than AWS want it.
        sts_unavailable: True where the store hands out no temporary credentials, so that clients bring their own.
        type: INTERNAL or EXTERNAL.
        storage_type: S3, GCS, AZURE or FILE.
    """

    name: str
    base_location: str | None
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = True
    sts_unavailable: bool | None = True
    type: str = "INTERNAL"
    storage_type: str = "S3"

    def body(self) -> dict[str, Any]:
        """The nested body of `POST /api/management/v1/catalogs`.

        Raises:
            ValueError: The spec has no base location; it can be compared, not created.
        """
        if self.base_location is None:
            raise ValueError("a catalog cannot be created without a base location")
        storage = {
            "storageType": self.storage_type,
            "allowedLocations": [f"{self.base_location.rstrip('/')}/"],
            "endpoint": self.endpoint,
            "region": self.region,
            "pathStyleAccess": self.path_style,
            "stsUnavailable": self.sts_unavailable,
        }
        return {
            "catalog": {
                "name": self.name,
                "type": self.type,
                "properties": {"default-base-location": self.base_location},
                "storageConfigInfo": {key: value for key, value in storage.items() if value is not None},
            }
        }

    def differences(self, seen: Catalog) -> tuple[Difference, ...]:
        """Every field in which `seen` is not as wanted, by value; a trailing slash makes no difference."""
        storage = seen.storage
        pairs: tuple[tuple[str, Value, Value], ...] = (
            ("name", self.name, seen.name),
            ("type", self.type, seen.type),
            ("storage type", self.storage_type, storage.storage_type),
            ("base location", self.base_location, seen.base_location),
            ("endpoint", self.endpoint, storage.endpoint),
            ("region", self.region, storage.region),
            ("path style", self.path_style, bool(storage.path_style)),
            ("STS unavailable", self.sts_unavailable, bool(storage.sts_unavailable)),
        )
        return tuple(
            Difference(field, _shown(wanted), _shown(got))
            for field, wanted, got in pairs
            if wanted is not None and _plain(wanted) != _plain(got)
        )


def _plain(value: Value) -> Value:
    return value.rstrip("/") if isinstance(value, str) else value


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value or "(none)"

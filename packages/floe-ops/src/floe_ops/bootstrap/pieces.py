"""The pieces of a bootstrap: for each, how to look at it and how to make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_catalog_polaris.errors import PolarisAnswerError
from floe_core.errors import FloeError, WrongStateError

from floe_ops.clients.object_store import BucketState
from floe_ops.readiness.probes import described, wrong_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_catalog_polaris.client import PolarisClient

    from floe_ops.clients.object_store import ObjectStore
    from floe_ops.warehouse import Warehouse

GRANT = "CATALOG_MANAGE_CONTENT"
"""Without it even the server's root may list tables but not load or write them."""
PRINCIPAL_ROLE, CATALOG_ROLE = "floe_writer", "floe_rw"
BAD_REQUEST = 400


@dataclass(frozen=True)
class Piece:
    """One thing that the bootstrap makes.

    Attributes:
        name: Its name in the step log.
        wanted: What it makes, for people.
        look: What is there in one line, None when it is missing; raises when it is there and wrong.
        make: Makes it; False when somebody else was faster.
        needs: Pieces without which it cannot even be looked at.
    """

    name: str
    wanted: str
    look: Callable[[], str | None]
    make: Callable[[], bool]
    needs: tuple[str, ...] = ()


def pieces(
    warehouse: Warehouse, client: PolarisClient, store: ObjectStore, *, create_bucket: bool
) -> tuple[Piece, ...]:
    """All pieces in the order in which they are made."""
    return (
        _bucket(warehouse, store, create=create_bucket),
        _catalog(warehouse, client),
        *_roles(warehouse, client),
    )


def _bucket(warehouse: Warehouse, store: ObjectStore, *, create: bool) -> Piece:
    def look() -> str | None:
        found = store.check(warehouse.bucket)
        if found.state is BucketState.PRESENT:
            return f"{found.bucket} at {found.endpoint}: {found.answer}"
        if found.state is BucketState.MISSING and create:
            return None
        raise found.error()

    return Piece(
        "bucket", f"bucket {warehouse.bucket} at {store.endpoint}", look, lambda: store.create(warehouse.bucket)
    )


def _catalog(warehouse: Warehouse, client: PolarisClient) -> Piece:
    spec = warehouse.spec()

    def look() -> str | None:
        seen = client.catalog(spec.name)
        if seen is None:
            return None
        if differences := spec.differences(seen):
            raise wrong_catalog(spec, client.url, differences)
        return described(seen)

    def make() -> bool:
        try:
            return client.create_catalog(spec)
        except PolarisAnswerError as error:
            if error.status == BAD_REQUEST and "overlap" in error.why:
                raise _overlap(warehouse, client, error) from error
            raise

    return Piece("catalog", f"catalog {spec.name} on {spec.base_location}", look, make)


def _overlap(warehouse: Warehouse, client: PolarisClient, error: PolarisAnswerError) -> FloeError:
    wanted = f"{(warehouse.location or '').rstrip('/')}/"
    others = [
        f"{other.name} ({other.base_location})"
        for other in client.catalogs()
        for location in {other.base_location, *other.storage.allowed_locations}
        if f"{location.rstrip('/')}/".startswith(wanted) or wanted.startswith(f"{location.rstrip('/')}/")
    ]
    return WrongStateError(
        f"catalog {warehouse.catalog!r} cannot be made on {warehouse.location}",
        where=error.where,
        why=f"the location overlaps with: {', '.join(sorted(set(others))) or 'a catalog that may not be listed'}",
        remedy="delete that catalog, or choose another bucket with FLOE_BUCKET",
    )


def _roles(warehouse: Warehouse, client: PolarisClient) -> tuple[Piece, ...]:
    return (*_principal_side(client), *_catalog_side(warehouse.catalog, client))


def _principal_side(client: PolarisClient) -> tuple[Piece, ...]:
    def assign() -> bool:
        client.assign_principal_role(_principal(client), PRINCIPAL_ROLE)
        return True

    return (
        Piece(
            "principal role",
            f"principal role {PRINCIPAL_ROLE}",
            lambda: _name(client.principal_role(PRINCIPAL_ROLE)),
            lambda: client.create_principal_role(PRINCIPAL_ROLE),
        ),
        Piece(
            "assignment",
            f"{PRINCIPAL_ROLE} given to the principal of client {client.client_id}",
            lambda: _among(PRINCIPAL_ROLE, client.roles_of_principal(_principal(client))),
            assign,
            needs=("principal role",),
        ),
    )


def _catalog_side(catalog: str, client: PolarisClient) -> tuple[Piece, ...]:
    def grant() -> bool:
        client.grant_on_catalog(catalog, CATALOG_ROLE, GRANT)
        return True

    def assign() -> bool:
        client.assign_catalog_role(PRINCIPAL_ROLE, catalog, CATALOG_ROLE)
        return True

    return (
        Piece(
            "catalog role",
            f"catalog role {CATALOG_ROLE}",
            lambda: _name(client.catalog_role(catalog, CATALOG_ROLE)),
            lambda: client.create_catalog_role(catalog, CATALOG_ROLE),
            needs=("catalog",),
        ),
        Piece(
            "grant",
            f"{GRANT} granted to {CATALOG_ROLE}",
            lambda: _among(GRANT, [g.privilege for g in client.grants(catalog, CATALOG_ROLE) if g.type == "catalog"]),
            grant,
            needs=("catalog", "catalog role"),
        ),
        Piece(
            "catalog role assignment",
            f"{CATALOG_ROLE} given to {PRINCIPAL_ROLE}",
            lambda: _among(CATALOG_ROLE, client.catalog_roles_of(PRINCIPAL_ROLE, catalog)),
            assign,
            needs=("principal role", "catalog", "catalog role"),
        ),
    )


def check_access(warehouse: Warehouse, client: PolarisClient) -> str:
    """What an Iceberg client gets: the warehouse's base location and prefix, and its namespaces.

    Raises:
        WrongStateError: It gets something else.
        PolarisForbiddenError: The principal may not see the catalog's content.
    """
    config = client.warehouse(warehouse.catalog)
    base = config.defaults.get("default-base-location", "") if config else ""
    if config is None or base.rstrip("/") != (warehouse.location or "").rstrip("/"):
        raise WrongStateError(
            f"Iceberg clients are sent to {base or 'nowhere'}",
            where=f"{warehouse.url}, warehouse {warehouse.catalog}",
            why=f"the catalog's base location should be {warehouse.location}",
            remedy="run `invoke polaris.bootstrap` again; if it stays, look into the server's log",
        )
    found = client.namespaces(warehouse.catalog)
    return f"warehouse {warehouse.catalog} on {base}, {len(found)} namespaces"


def _principal(client: PolarisClient) -> str:
    found = client.principal_of(client.client_id)
    if found is None:
        raise WrongStateError(
            f"no principal signs in as {client.client_id!r}",
            where=client.url,
            why="the server gave a token to that client but lists no principal for it",
            remedy="sign in as the server's root principal",
        )
    return found.name


def _name(found: object) -> str | None:
    return None if found is None else str(getattr(found, "name", found))


def _among(wanted: str, listed: list[str] | tuple[str, ...]) -> str | None:
    return f"listed: {', '.join(sorted(listed))}" if wanted in listed else None

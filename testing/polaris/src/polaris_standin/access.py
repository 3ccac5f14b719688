"""Who calls, and whether they may.

A principal acts through its principal roles, and in a catalog also through the catalog roles that these
hold there. A privilege on a container holds for all that is in it. The scope of a token narrows the roles;
a scope that names none of the assigned roles leaves the grants of all of them in force while the 403 text
shows no active role: measured, and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polaris_standin.errors import forbidden
from polaris_standin.privileges import OPERATIONS, conferred
from polaris_standin.store import (
    CATALOG_ROLE_USAGE,
    PRINCIPAL_ROLE_USAGE,
    ROOT_CONTAINER,
    Entity,
    Kind,
    Store,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPE_PREFIX = "PRINCIPAL_ROLE:"
SCOPE_ALL = "PRINCIPAL_ROLE:ALL"


@dataclass(frozen=True)
class Caller:
    """An authenticated principal, the roles its token activates, and the roles whose grants count."""

    principal: Entity
    activated: tuple[Entity, ...]
    granting: tuple[Entity, ...]


def held(store: Store, grantee: int, usage: str) -> list[Entity]:
    """The roles that a grantee was given, in the order in which they were."""
    found = (store.get(grant.securable) for grant in store.grants_to(grantee) if grant.privilege == usage)
    return [role for role in found if role is not None]


def holders(store: Store, role: int, usage: str) -> list[Entity]:
    """Who was given a role."""
    found = (store.get(grant.grantee) for grant in store.grants_on(role) if grant.privilege == usage)
    return [holder for holder in found if holder is not None]


def caller_of(store: Store, principal: Entity, scope: str) -> Caller:
    """The caller that a token of this principal with this scope stands for."""
    assigned = tuple(held(store, principal.id, PRINCIPAL_ROLE_USAGE))
    scopes = scope.split()
    if SCOPE_ALL in scopes:
        return Caller(principal, assigned, assigned)
    activated = tuple(role for role in assigned if f"{SCOPE_PREFIX}{role.name}" in scopes)
    return Caller(principal, activated, activated or assigned)


def path_of(store: Store, entity: Entity | None) -> list[Entity]:
    """An entity and its containers, outermost first; None stands for the root container (no entity)."""
    path: list[Entity] = []
    while entity is not None:
        path.insert(0, entity)
        entity = store.get(entity.parent) if entity.parent != ROOT_CONTAINER else None
    return path


def require(store: Store, caller: Caller, operation: str, *targets: Entity | None) -> None:
    """Let an operation pass or refuse it.

    Args:
        store: Where the grants are.
        caller: Who asks.
        operation: A key of `OPERATIONS`.
        targets: What it acts on, in the order of `OPERATIONS`; None is the root container.

    Raises:
        ApiError: 403, with the roles that were looked at.
    """
    paths = [path_of(store, target) for target in targets]
    grantees = _grantees(store, caller, paths)
    for needed, path in zip(OPERATIONS[operation], paths, strict=True):
        if not all(_holds(store, grantees, privilege, path) for privilege in needed):
            raise forbidden(
                f"Principal '{caller.principal.name}' with activated PrincipalRoles "
                f"'{_names(caller.activated)}' and activated grants via '{_names(grantees)}' "
                f"is not authorized for op {operation}"
            )


def _grantees(store: Store, caller: Caller, paths: list[list[Entity]]) -> list[Entity]:
    """The caller's principal roles and what they hold in the catalogs concerned."""
    catalogs = {path[0].id for path in paths if path and path[0].kind is Kind.CATALOG}
    grantees = list(caller.granting)
    for role in caller.granting:
        grantees += [
            catalog_role
            for catalog_role in held(store, role.id, CATALOG_ROLE_USAGE)
            if catalog_role.parent in catalogs and catalog_role not in grantees
        ]
    return grantees


def _holds(store: Store, grantees: list[Entity], privilege: str, path: list[Entity]) -> bool:
    securables = {ROOT_CONTAINER, *(entity.id for entity in path)}
    return any(
        grant.securable in securables and privilege in conferred(grant.privilege)
        for grantee in grantees
        for grant in store.grants_to(grantee.id)
    )


def _names(entities: Iterable[Entity]) -> str:
    return f"[{', '.join(entity.name for entity in entities)}]"

from __future__ import annotations

import pytest
from polaris_standin import principals
from polaris_standin.access import caller_of, path_of, require
from polaris_standin.engines.sqlite import Sqlite
from polaris_standin.errors import ApiError
from polaris_standin.store import (
    CATALOG_ROLE_USAGE,
    PRINCIPAL_ROLE_USAGE,
    ROOT_CONTAINER,
    Entity,
    Kind,
    Store,
)


class World:
    """A catalog with a namespace, a table beside it, and a principal with one role of each kind."""

    def __init__(self) -> None:
        self.store = store = Store(Sqlite())
        self.catalog, self.other = (store.add(Kind.CATALOG, ROOT_CONTAINER, name, {}) for name in "cd")
        self.namespace, self.sibling = (store.add(Kind.NAMESPACE, self.catalog.id, n, {}) for n in "ns")
        self.table = store.add(Kind.TABLE, self.namespace.id, "t", {})
        self.principal, _ = principals.create(store, "p", {}, must_rotate=False)
        self.role = store.add(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER, "r", {})
        self.catalog_role = store.add(Kind.CATALOG_ROLE, self.catalog.id, "cr", {})
        store.grant(self.principal.id, self.role.id, PRINCIPAL_ROLE_USAGE)
        store.grant(self.role.id, self.catalog_role.id, CATALOG_ROLE_USAGE)

    def may(self, operation: str, target: Entity | None, scope: str = "PRINCIPAL_ROLE:ALL") -> bool:
        try:
            require(self.store, caller_of(self.store, self.principal, scope), operation, target)
        except ApiError:
            return False
        return True


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_allowed_before_it_is_granted(world: World) -> None:
    assert not world.may("LOAD_TABLE", world.table)
    assert not world.may("LIST_CATALOGS", None)


def test_a_grant_holds_for_what_is_inside_and_nothing_beside(world: World) -> None:
    world.store.grant(world.catalog_role.id, world.namespace.id, "TABLE_FULL_METADATA")
    assert world.may("LOAD_TABLE", world.table)
    assert world.may("LIST_TABLES", world.namespace)
    assert not world.may("LIST_TABLES", world.sibling)
    assert not world.may("LOAD_TABLE_WITH_READ_DELEGATION", world.table)


def test_a_role_of_a_catalog_counts_only_there(world: World) -> None:
    world.store.grant(world.catalog_role.id, world.catalog.id, "CATALOG_MANAGE_CONTENT")
    world.store.grant(world.catalog_role.id, world.other.id, "CATALOG_MANAGE_CONTENT")
    assert world.may("LIST_NAMESPACES", world.catalog)
    assert not world.may("LIST_NAMESPACES", world.other)


def test_content_confers_metadata_and_data_but_not_access(world: World) -> None:
    world.store.grant(world.catalog_role.id, world.catalog.id, "CATALOG_MANAGE_CONTENT")
    assert world.may("DROP_TABLE_WITH_PURGE", world.table)
    assert world.may("CREATE_NAMESPACE", world.catalog)
    assert not world.may("CREATE_CATALOG_ROLE", world.catalog)


def test_metadata_does_not_confer_data(world: World) -> None:
    world.store.grant(world.catalog_role.id, world.catalog.id, "CATALOG_MANAGE_METADATA")
    assert world.may("LOAD_TABLE", world.table)
    assert not world.may("LOAD_TABLE_WITH_READ_DELEGATION", world.table)


def test_a_scope_narrows_the_roles(world: World) -> None:
    second = world.store.add(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER, "lister", {})
    world.store.grant(world.principal.id, second.id, PRINCIPAL_ROLE_USAGE)
    world.store.grant(second.id, ROOT_CONTAINER, "CATALOG_LIST")
    assert world.may("LIST_CATALOGS", None)
    assert world.may("LIST_CATALOGS", None, "PRINCIPAL_ROLE:lister")
    assert not world.may("LIST_CATALOGS", None, "PRINCIPAL_ROLE:r")


def test_a_scope_that_names_no_held_role_shows_none_and_grants_all(world: World) -> None:
    caller = caller_of(world.store, world.principal, "PRINCIPAL_ROLE:nope")
    assert caller.activated == ()
    with pytest.raises(ApiError) as caught:
        require(world.store, caller, "LIST_NAMESPACES", world.catalog)
    assert caught.value.message == (
        "Principal 'p' with activated PrincipalRoles '[]' and activated grants via '[r, cr]' "
        "is not authorized for op LIST_NAMESPACES"
    )


def test_taking_a_grant_back_acts_at_once(world: World) -> None:
    world.store.grant(world.catalog_role.id, world.catalog.id, "NAMESPACE_LIST")
    assert world.may("LIST_NAMESPACES", world.catalog)
    world.store.revoke(world.role.id, world.catalog_role.id, CATALOG_ROLE_USAGE)
    assert not world.may("LIST_NAMESPACES", world.catalog)


def test_the_path_of_an_entity_starts_at_its_catalog(world: World) -> None:
    assert path_of(world.store, world.table) == [world.catalog, world.namespace, world.table]
    assert path_of(world.store, None) == []

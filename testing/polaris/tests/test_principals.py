from __future__ import annotations

import pytest
from polaris_standin import principals
from polaris_standin.engines.sqlite import Sqlite
from polaris_standin.store import ROOT_CONTAINER, Entity, Kind, Store


@pytest.fixture
def store() -> Store:
    return Store(Sqlite())


def _now(store: Store, principal: Entity) -> Entity:
    found = store.get(principal.id)
    assert found is not None
    return found


def _works(store: Store, principal: Entity, secret: str) -> bool:
    return principals.authenticate(store, principal.body["clientId"], secret) is not None


def test_secrets_are_not_stored(store: Store) -> None:
    principal, secret = principals.create(store, "p", {}, must_rotate=False)
    assert secret not in str(principal.body)
    assert _works(store, principal, secret)
    assert not _works(store, principal, f"{secret}x")
    assert principals.authenticate(store, "nobody", secret) is None


def test_the_previous_secret_survives_one_rotation(store: Store) -> None:
    principal, first = principals.create(store, "p", {}, must_rotate=False)
    _, second = principals.rotate(store, _now(store, principal))
    assert [_works(store, principal, secret) for secret in (first, second)] == [True, True]
    _, third = principals.rotate(store, _now(store, principal))
    assert [_works(store, principal, secret) for secret in (first, second, third)] == [False, True, True]
    assert _now(store, principal).version == 1


def test_a_demanded_rotation_drops_the_first_secret_and_counts_as_a_change(store: Store) -> None:
    principal, first = principals.create(store, "p", {}, must_rotate=True)
    rotated, second = principals.rotate(store, principal)
    assert (rotated.version, rotated.updated) == (2, principal.updated)
    assert [_works(store, principal, secret) for secret in (first, second)] == [False, True]


def test_a_reset_leaves_only_the_new_secret(store: Store) -> None:
    principal, first = principals.create(store, "p", {}, must_rotate=False)
    _, second = principals.reset(store, principal)
    assert [_works(store, principal, secret) for secret in (first, second)] == [False, True]


def test_every_bootstrap_sets_the_root_credentials(store: Store) -> None:
    principals.bootstrap(store, "one", "first")
    root = principals.authenticate(store, "one", "first")
    assert root is not None
    assert root.id == 1
    principals.bootstrap(store, "two", "second")
    assert principals.authenticate(store, "one", "first") is None
    again = principals.authenticate(store, "two", "second")
    assert again is not None
    assert again.id == root.id
    assert len(store.children(Kind.PRINCIPAL_ROLE, ROOT_CONTAINER)) == 1

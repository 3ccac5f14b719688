from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from polaris_standin.engines.sqlite import Sqlite
from polaris_standin.store import ROOT_CONTAINER, DuplicateError, Kind, StaleError, Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store() -> Store:
    return Store(Sqlite())


def test_names_are_unique_in_their_place_and_kind_and_tell_case(store: Store) -> None:
    first = store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {})
    store.add(Kind.CATALOG, ROOT_CONTAINER, "A", {})
    store.add(Kind.PRINCIPAL, ROOT_CONTAINER, "a", {})
    store.add(Kind.NAMESPACE, first.id, "a", {})
    with pytest.raises(DuplicateError):
        store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {})
    assert [entity.name for entity in store.children(Kind.CATALOG, ROOT_CONTAINER)] == ["a", "A"]


def test_an_update_of_an_old_version_is_refused(store: Store) -> None:
    old = store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {"n": 1})
    new = store.update(old, {"n": 2})
    assert new.version == 2
    assert store.get(old.id) == new
    for change in (store.update, store.amend):
        with pytest.raises(StaleError):
            change(old, {"n": 3})
    assert store.get(old.id) == new


def test_moving_keeps_the_entity_and_its_grants(store: Store) -> None:
    source, target = (store.add(Kind.NAMESPACE, ROOT_CONTAINER, name, {}) for name in "ab")
    table = store.add(Kind.TABLE, source.id, "t", {"metadata": "x"})
    store.grant(99, table.id, "TABLE_READ_DATA")
    store.move(table, target.id, "u")
    moved = store.find(Kind.TABLE, target.id, "u")
    assert moved is not None
    assert moved.id == table.id
    assert moved.body == table.body
    assert [grant.grantee for grant in store.grants_on(table.id)] == [99]
    with pytest.raises(StaleError):
        store.move(table, source.id, "t")


def test_moving_onto_a_taken_name_is_refused_and_leaves_all_as_it_was(store: Store) -> None:
    first, second = (store.add(Kind.TABLE, ROOT_CONTAINER, name, {}) for name in "ab")
    with store.transaction():
        with pytest.raises(DuplicateError):
            store.move(second, ROOT_CONTAINER, "a")
        with pytest.raises(DuplicateError):
            store.add(Kind.TABLE, ROOT_CONTAINER, "b", {})
        store.grant(second.id, first.id, "X")
    assert store.get(second.id) == second
    assert len(store.grants_on(first.id)) == 1, "a refusal does not end the transaction"


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fail_halfway() -> None:
        with store.transaction():
            entity = store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {})
            store.grant(entity.id, ROOT_CONTAINER, "X")
            raise LookupError

    with pytest.raises(LookupError):
        fail_halfway()
    assert store.children(Kind.CATALOG, ROOT_CONTAINER) == []
    assert store.grants_on(ROOT_CONTAINER) == []


def test_removing_takes_the_grants_along_and_never_reuses_the_id(store: Store) -> None:
    entity = store.add(Kind.PRINCIPAL, ROOT_CONTAINER, "p", {})
    store.grant(entity.id, ROOT_CONTAINER, "X")
    store.grant(99, entity.id, "Y")
    store.remove(entity)
    assert store.get(entity.id) is None
    assert store.grants_to(entity.id) == store.grants_to(99) == []
    assert store.add(Kind.PRINCIPAL, ROOT_CONTAINER, "p", {}).id > entity.id


def test_a_grant_is_held_once_and_taken_back_once(store: Store) -> None:
    store.grant(1, 2, "X")
    store.grant(1, 2, "X")
    assert len(store.grants_to(1)) == 1
    assert store.revoke(1, 2, "X")
    assert not store.revoke(1, 2, "X")


def test_of_threads_that_update_one_version_one_wins(store: Store) -> None:
    entity = store.add(Kind.TABLE, ROOT_CONTAINER, "t", {})
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def update(number: int) -> None:
        barrier.wait(timeout=10)
        try:
            store.update(entity, {"n": number})
        except StaleError:
            outcomes.append("stale")
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=update, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(outcomes) == ["stale"] * 7 + ["won"]


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    first = Store(Sqlite(path))
    entity = first.add(Kind.CATALOG, ROOT_CONTAINER, "a", {"é": [1]})
    first.grant(entity.id, ROOT_CONTAINER, "X")
    first.close()
    again = Store(Sqlite(path))
    assert again.get(entity.id) == entity
    assert [grant.privilege for grant in again.grants_to(entity.id)] == ["X"]
    again.close()

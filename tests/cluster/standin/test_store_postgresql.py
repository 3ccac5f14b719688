"""The store's own suite over PostgreSQL, and what only a database of several processes can show."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from polaris_standin import principals
from polaris_standin.engines import DatabaseError
from polaris_standin.engines.postgresql import Database, Postgresql
from polaris_standin.starting import bootstrapped
from polaris_standin.store import ROOT_CONTAINER, DuplicateError, Entity, Kind, StaleError, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

UNIT = Path(__file__).parents[3] / "testing" / "polaris" / "tests"
SECOND = "test_a_file_keeps_everything"  # of SQLite alone; its counterpart is below


def _suite(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"standin_{name}", UNIT / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES: dict[str, Callable[[Store], None]] = {
    f"{suite}::{name}": case
    for suite in ("test_store", "test_principals")
    for name, case in vars(_suite(suite)).items()
    if name.startswith("test_") and name != SECOND
}


def test_the_suites_were_found() -> None:
    assert {name.partition("::")[0] for name in CASES} == {"test_store", "test_principals"}
    assert len(CASES) >= 12


@pytest.mark.parametrize("name", CASES)
def test_as_over_sqlite(store: Store, name: str) -> None:
    CASES[name](store)


@pytest.fixture
def other(database: Database) -> Store:
    """What another process has of the same database."""
    return Store(Postgresql(database))


def test_a_database_keeps_everything(store: Store, other: Store) -> None:
    entity = store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {"é": [1]})
    store.grant(entity.id, ROOT_CONTAINER, "X")
    store.close()
    assert other.get(entity.id) == entity
    assert [grant.privilege for grant in other.grants_to(entity.id)] == ["X"]


def test_a_name_that_postgresql_cannot_hold_is_an_error_and_harms_nothing(store: Store) -> None:
    with pytest.raises(DatabaseError, match="NUL"):
        store.add(Kind.CATALOG, ROOT_CONTAINER, "a\0b", {})
    assert store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {"text": "\0"}).id > 0


def test_each_statement_sees_what_others_have_committed_and_nothing_else(store: Store, other: Store) -> None:
    with store.transaction():
        store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {})
        assert other.find(Kind.CATALOG, ROOT_CONTAINER, "a") is None
    found = other.find(Kind.CATALOG, ROOT_CONTAINER, "a")
    assert found is not None
    other.update(found, {"n": 1})
    with pytest.raises(StaleError):
        store.update(found, {"n": 2})


def _at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What each of `count` threads returned or raised, all started together."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait(timeout=30)
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 - told to the test
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_of_connections_that_make_one_name_or_update_one_version_one_wins(database: Database) -> None:
    stores = [Store(Postgresql(database)) for _ in range(8)]
    made = _at_once(8, lambda number: stores[number].add(Kind.CATALOG, ROOT_CONTAINER, "a", {"n": number}))
    winner = [one for one in made if isinstance(one, Entity)]
    assert len(winner) == 1
    assert sum(isinstance(one, DuplicateError) for one in made) == 7
    updated = _at_once(8, lambda number: stores[number].update(winner[0], {"n": number}))
    assert sum(isinstance(one, Entity) for one in updated) == 1
    assert sum(isinstance(one, StaleError) for one in updated) == 7


def test_what_a_transaction_has_read_stays_true_until_it_ends(database: Database) -> None:
    """Each adds a number only where no greater one is: read and write in one step, as the checks of locations."""
    stores = [Store(Postgresql(database)) for _ in range(8)]

    def count(number: int) -> None:
        for _ in range(5):
            with stores[number].transaction():
                last = max((int(one.name) for one in stores[number].children(Kind.TABLE, ROOT_CONTAINER)), default=0)
                stores[number].add(Kind.TABLE, ROOT_CONTAINER, str(last + 1), {})

    assert _at_once(8, count) == [None] * 8
    names = [int(one.name) for one in stores[0].children(Kind.TABLE, ROOT_CONTAINER)]
    assert names == list(range(1, 41))


def test_starts_at_once_over_an_empty_database_make_one_realm(database: Database) -> None:
    assert _at_once(4, lambda _: bootstrapped(database, "root", "secret", 30)) == [None] * 4
    store = Store(Postgresql(database))
    assert len(store.children(Kind.PRINCIPAL, ROOT_CONTAINER)) == 1
    assert principals.authenticate(store, "root", "secret") is not None

"""What needs no database; the rest is in tests/cluster/standin, against a real one."""

from __future__ import annotations

import pytest
from polaris_standin.contract.stack import free_port
from polaris_standin.engines import DatabaseError
from polaris_standin.engines.postgresql import Database, Postgresql
from polaris_standin.store import ROOT_CONTAINER, Kind, Store

SECRET = "planted-secret"  # noqa: S105 - planted, to be looked for


def test_nothing_listens_there(capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(Postgresql(Database("127.0.0.1", free_port(), "polaris", "polaris", SECRET)))
    for _ in range(2):
        with pytest.raises(DatabaseError, match="Connection refused") as caught:
            store.add(Kind.CATALOG, ROOT_CONTAINER, "a", {})
        assert SECRET not in str(caught.value)
    with pytest.raises(DatabaseError, match="Connection refused"):
        store.ping()
    assert capsys.readouterr().err.count("does not answer") == 1, "told once, not at each request"
    store.close()


def test_what_is_held_refuses_without_asking() -> None:
    engine = Postgresql(Database("127.0.0.1", free_port(), "polaris", "polaris", SECRET), is_held=True)
    with pytest.raises(DatabaseError, match="has not been reached since the start"):
        engine.run("SELECT 1")
    engine.release()
    with pytest.raises(DatabaseError, match="Connection refused"):
        engine.run("SELECT 1")

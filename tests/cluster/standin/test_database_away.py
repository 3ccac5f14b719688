"""A database that comes late, restarts, or is killed in the middle of writes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from polaris_standin.engines import DatabaseError
from polaris_standin.store import ROOT_CONTAINER, Kind, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from polaris_standin.contract.stack import Polaris
    from polaris_standin.engines.postgresql import Database

ROLES = "/api/management/v1/principal-roles"
LIMIT_S = 30


def _health(polaris: Polaris) -> int:
    return requests.get(f"{polaris.server.management}/q/health/ready", timeout=LIMIT_S).status_code


def _token(polaris: Polaris) -> str:
    server = polaris.server
    form = {"grant_type": "client_credentials", "client_id": server.client_id, "client_secret": server.secret}
    form["scope"] = "PRINCIPAL_ROLE:ALL"
    answer = requests.post(f"{server.api}/api/catalog/v1/oauth/tokens", data=form, timeout=LIMIT_S)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _call(polaris: Polaris, token: str, method: str, path: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{polaris.server.api}{path}", json=body, headers=headers, timeout=LIMIT_S)


def _roles(polaris: Polaris, token: str) -> set[str]:
    return {role["name"] for role in _call(polaris, token, "GET", ROLES).json()["roles"]}


def test_a_database_that_comes_late_is_waited_for(
    postgresql: Any, database: Database, start: Callable[..., Polaris]
) -> None:
    postgresql.kill()
    try:
        polaris = start(database, {"is_awaited": False})
        polaris.wait_for(lambda: _health(polaris) == 503, LIMIT_S)
    finally:
        postgresql.start()
    polaris.wait_until_ready()
    assert _roles(polaris, _token(polaris)) == {"service_admin"}


def test_an_open_transaction_is_gone_with_the_database_and_the_store_recovers(postgresql: Any, store: Store) -> None:
    kept = store.add(Kind.CATALOG, ROOT_CONTAINER, "kept", {})

    def die_halfway() -> None:
        with store.transaction():
            store.add(Kind.CATALOG, ROOT_CONTAINER, "lost", {})
            postgresql.kill()
            store.add(Kind.CATALOG, ROOT_CONTAINER, "later", {})

    try:
        with pytest.raises(DatabaseError):
            die_halfway()
        with pytest.raises(DatabaseError, match="refused"):
            store.get(kept.id)
    finally:
        postgresql.start()
    assert store.children(Kind.CATALOG, ROOT_CONTAINER) == [kept]
    assert store.add(Kind.CATALOG, ROOT_CONTAINER, "lost", {}).id > kept.id


def test_a_restart_between_two_statements_is_not_even_seen(postgresql: Any, store: Store) -> None:
    kept = store.add(Kind.CATALOG, ROOT_CONTAINER, "kept", {})
    postgresql.kill()
    postgresql.start()
    assert store.get(kept.id) == kept
    postgresql.kill()
    postgresql.start()
    assert store.add(Kind.CATALOG, ROOT_CONTAINER, "more", {}).id > kept.id


def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_writes(
    postgresql: Any, database: Database, start: Callable[..., Polaris]
) -> None:
    polaris = start(database)
    pid, token = polaris.popen.pid, _token(polaris)
    acknowledged: list[str] = []
    sent: list[str] = []
    refused: list[int] = []
    is_under_way, is_over = threading.Event(), threading.Event()

    def write(writer: int) -> None:
        number = 0
        while not is_over.is_set():
            name = f"w{writer}-{number}"
            sent.append(name)
            answer = _call(polaris, token, "POST", ROLES, {"principalRole": {"name": name}})
            number += 1
            if answer.status_code == 201:
                acknowledged.append(name)
            else:
                refused.append(answer.status_code)
                assert answer.json()["error"]["code"] == answer.status_code
            if len(acknowledged) >= 20:
                is_under_way.set()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in writers:
        thread.start()
    try:
        assert is_under_way.wait(60)
        postgresql.kill()
        polaris.wait_for(lambda: len(refused) > 4, LIMIT_S)
        assert _health(polaris) == 503
        assert set(refused) <= {500, 503}
    finally:
        is_over.set()
        for thread in writers:
            thread.join(60)
        postgresql.start()
    polaris.wait_until_ready()
    assert polaris.popen.poll() is None
    assert polaris.popen.pid == pid
    kept = _roles(polaris, token) - {"service_admin"}
    assert set(acknowledged) <= kept <= set(sent)
    assert len(kept) - len(acknowledged) <= len(writers), "unknown is only what was under way"
    assert _call(polaris, token, "POST", ROLES, {"principalRole": {"name": "after"}}).status_code == 201
    assert "answers again" in polaris.log()

"""Starting, ending and starting again, as processes."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
from polaris_standin.contract.stack import Keys, ObjectStore, Polaris

if TYPE_CHECKING:
    from pathlib import Path

ROLES = "/api/management/v1/principal-roles"
CATALOGS = "/api/management/v1/catalogs"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_even_with_open_connections(
    tmp_path: Path, keys: Keys, number: signal.Signals
) -> None:
    with Polaris(tmp_path, keys) as polaris, requests.Session() as session:
        assert session.get(f"{polaris.server.api}/", timeout=5).status_code == 404
        started = time.monotonic()
        assert polaris.end(number) == -number
        assert time.monotonic() - started < 15
        with pytest.raises(requests.ConnectionError):
            session.get(f"{polaris.server.api}/", timeout=5)


def test_it_is_ready_in_good_time(tmp_path: Path, keys: Keys) -> None:
    started = time.monotonic()
    with Polaris(tmp_path, keys):
        # 0.4 s on a quiet machine.
        assert time.monotonic() - started < 15


def test_memory_forgets(tmp_path: Path, keys: Keys, connect: Any) -> None:
    with Polaris(tmp_path, keys) as polaris:
        connect(polaris.server).call("POST", ROLES, {"principalRole": {"name": "r"}})
    with Polaris(tmp_path, keys) as polaris:
        assert connect(polaris.server).call("GET", f"{ROLES}/r").status_code == 404


def test_a_state_folder_keeps_everything_but_tokens_and_the_root_secret(
    tmp_path: Path, keys: Keys, connect: Any, store: ObjectStore
) -> None:
    state = tmp_path / "state"
    with Polaris(tmp_path, keys, state=state) as polaris:
        api = connect(polaris.server)
        catalog = api.make_catalog(store)
        before = api.call("GET", f"{CATALOGS}/{catalog}").json()
        api.call("POST", ROLES, {"principalRole": {"name": "r"}})
        old_token, old_secret = api.token, polaris.server.secret
        polaris.end(signal.SIGKILL)
    with Polaris(tmp_path, keys, state=state) as polaris:
        again = connect(polaris.server)
        assert polaris.server.secret != old_secret
        assert again.call("GET", f"{CATALOGS}/{catalog}").json() == before
        assert again.call("GET", f"{ROLES}/r").status_code == 200
        grants = again.call("GET", f"{CATALOGS}/{catalog}/catalog-roles/catalog_admin/grants").json()
        assert "CATALOG_MANAGE_CONTENT" in {grant["privilege"] for grant in grants["grants"]}
        again.token = old_token
        assert again.call("GET", CATALOGS).status_code == 401


def test_of_parallel_creates_of_one_name_one_wins(api: Any) -> None:
    statuses: list[int] = []
    barrier = threading.Barrier(8)

    def create() -> None:
        barrier.wait(timeout=10)
        statuses.append(api.call("POST", ROLES, {"principalRole": {"name": "race"}}).status_code)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert Counter(statuses) == {201: 1, 409: 7}

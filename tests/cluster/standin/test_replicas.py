"""Two stand-ins over one database, and one that starts again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from polaris_standin.contract.stack import ObjectStore, Polaris
    from polaris_standin.engines.postgresql import Database

CATALOGS = "/api/management/v1/catalogs"
LIMIT_S = 30


class Root:
    """The API of one stand-in as root, with credentials that the last start set."""

    def __init__(self, polaris: Polaris, secret: str) -> None:
        self._api = polaris.server.api
        form = {"grant_type": "client_credentials", "client_id": "root", "client_secret": secret}
        form["scope"] = "PRINCIPAL_ROLE:ALL"
        answer = requests.post(f"{self._api}/api/catalog/v1/oauth/tokens", data=form, timeout=LIMIT_S)
        answer.raise_for_status()
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        url = f"{self._api}{path}"
        return requests.request(method, url, json=body, headers=self._headers, timeout=LIMIT_S)


def _catalog(name: str, location: str, store: ObjectStore) -> dict[str, Any]:
    storage = {"storageType": "S3", "endpoint": f"http://{store.address}", "pathStyleAccess": True}
    properties = {"default-base-location": location}
    return {"catalog": {"name": name, "type": "INTERNAL", "properties": properties, "storageConfigInfo": storage}}


def test_two_serve_one_state(database: Database, objects: ObjectStore, start: Callable[..., Polaris]) -> None:
    first, second = start(database), start(database)
    secret = second.server.secret  # the later start set it, as over any state
    roots = [Root(one, secret) for one in (first, second)]
    assert roots[0].call("POST", CATALOGS, _catalog("a", "s3://floe-iceberg/a", objects)).status_code == 201
    assert roots[1].call("GET", f"{CATALOGS}/a").status_code == 200
    statuses: list[int] = []
    barrier = threading.Barrier(8)

    def make(number: int) -> None:
        """Catalogs of different names on one location: only one may be made, whoever is asked."""
        body = _catalog(f"r{number}", "s3://floe-iceberg/race", objects)
        barrier.wait(LIMIT_S)
        statuses.append(roots[number % 2].call("POST", CATALOGS, body).status_code)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [201] + [400] * 7
    names = [{one["name"] for one in root.call("GET", CATALOGS).json()["catalogs"]} for root in roots]
    assert names[0] == names[1]
    assert len(names[0]) == 2


def test_a_later_start_keeps_what_is_there_and_takes_the_new_secret(
    database: Database, objects: ObjectStore, start: Callable[..., Polaris]
) -> None:
    first = start(database)
    root = Root(first, first.server.secret)
    assert root.call("POST", CATALOGS, _catalog("a", "s3://floe-iceberg/later", objects)).status_code == 201
    before = root.call("GET", f"{CATALOGS}/a").json()
    first.end()
    again = start(database)
    assert Root(again, again.server.secret).call("GET", f"{CATALOGS}/a").json() == before
    form = {"grant_type": "client_credentials", "client_id": "root", "client_secret": first.server.secret}
    form["scope"] = "PRINCIPAL_ROLE:ALL"
    answer = requests.post(f"{again.server.api}/api/catalog/v1/oauth/tokens", data=form, timeout=LIMIT_S)
    assert answer.status_code == 401

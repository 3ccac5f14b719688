"""Real processes for the stand-in's tests: one SeaweedFS, and stand-ins as tests need them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
import requests
from polaris_standin.contract.stack import BUCKET, Keys, ObjectStore, Polaris, Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys("unit", secrets.token_hex(16))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path_factory.mktemp("store"), keys) as process:
        yield process


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Server]:
    with Polaris(tmp_path_factory.mktemp("standin"), keys) as polaris:
        yield polaris.server


class Api:
    """The API as root."""

    def __init__(self, server: Server) -> None:
        self.server = server
        form = {"grant_type": "client_credentials", "client_id": server.client_id}
        form |= {"client_secret": server.secret, "scope": "PRINCIPAL_ROLE:ALL"}
        answer = requests.post(f"{server.api}/api/catalog/v1/oauth/tokens", data=form, timeout=10)
        answer.raise_for_status()
        self.token = answer.json()["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, f"{self.server.api}{path}", json=body, headers=headers, timeout=30)

    def make_catalog(self, store: ObjectStore, *, grant: bool = True, **options: Any) -> str:
        """A catalog with a name and location of its own, whose content root may manage."""
        name = f"c{secrets.token_hex(4)}"
        base = f"s3://{BUCKET}/{name}"
        storage = {
            "storageType": "S3",
            "allowedLocations": [f"{base}/"],
            "endpoint": f"http://{store.address}",
            "pathStyleAccess": True,
            "region": "us-east-1",
            **options,
        }
        properties = {"default-base-location": base}
        body = {"name": name, "type": "INTERNAL", "properties": properties, "storageConfigInfo": storage}
        assert self.call("POST", "/api/management/v1/catalogs", {"catalog": body}).status_code == 201
        if grant:
            path = f"/api/management/v1/catalogs/{name}/catalog-roles/catalog_admin/grants"
            given = {"grant": {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"}}
            assert self.call("PUT", path, given).status_code == 201
        return name


@pytest.fixture(scope="session")
def api(server: Server) -> Api:
    return Api(server)


@pytest.fixture(scope="session")
def connect() -> type[Api]:
    return Api

"""Whatever answers in the place of Polaris, on any path: a value, or an error with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from floe_catalog_polaris.client import PolarisClient
from floe_catalog_polaris.transport import Timeouts
from floe_core.testing.any_input import BOUNDED, encoded, inputs, lives_through
from floe_core.testing.receiver import Receiver, receiving, reply
from hypothesis import given
from hypothesis import strategies as st

TOKEN = {"access_token": "t", "token_type": "bearer", "expires_in": 3600}  # nosec B105 - planted
STORE: dict[str, Any] = {"storageType": "S3", "allowedLocations": ["s3://b/"], "pathStyleAccess": True}
CATALOG = {
    "name": "c", "type": "INTERNAL", "entityVersion": 1, "properties": {"default-base-location": "s3://b"},
    "storageConfigInfo": STORE,
}  # fmt: skip
ANSWERS = (
    CATALOG, {"catalogs": [CATALOG]}, {"principals": [{"name": "root", "clientId": "root"}]},
    {"roles": [{"name": "r"}]}, {"grants": [{"type": "catalog", "privilege": "p"}]}, {"namespaces": [["a", "b"]]},
    {"defaults": {"a": "b"}, "overrides": {}}, {"error": {"message": "m", "type": "NotFoundException", "code": 404}},
)  # fmt: skip
LIMITS = Timeouts(connect=2.0, read=2.0, total=4.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def client(server: Receiver, *script: tuple[int, bytes]) -> PolarisClient:
    server.requests.clear()
    server.script = [reply(status, raw) for status, raw in script]
    return PolarisClient(server.url, "root", "s", management_url=server.url, timeouts=LIMITS, attempts=1)


@BOUNDED
@given(inputs(TOKEN, {"error": "invalid_client"}), st.sampled_from([200, 400, 401, 500]))
def test_any_answer_about_a_token_is_read_or_refused(server: Receiver, raw: bytes, status: int) -> None:
    with client(server, (status, raw)) as asked:
        lives_through(asked.token)


@BOUNDED
@given(inputs(*ANSWERS), st.sampled_from([200, 200, 201, 404, 409, 500]))
def test_any_answer_about_a_catalog_is_read_or_refused(server: Receiver, raw: bytes, status: int) -> None:
    with client(server, (200, encoded(TOKEN)), (status, raw)) as asked:
        asks = (
            asked.catalogs, lambda: asked.catalog("c"), lambda: asked.principal_of("root"),
            lambda: asked.principal_role("r"), lambda: asked.roles_of_principal("root"),
            lambda: asked.grants("c", "r"), lambda: asked.warehouse("c"), lambda: asked.namespaces("c"),
            lambda: asked.create_principal_role("r"), lambda: asked.delete_catalog("c"),
        )  # fmt: skip
        for ask in asks:
            lives_through(ask)

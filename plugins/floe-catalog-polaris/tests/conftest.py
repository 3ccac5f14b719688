"""A scripted Polaris server and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_catalog_polaris.client import PolarisClient
from floe_catalog_polaris.transport import Timeouts
from polaris_standin.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a-secret-that-must-not-show"  # noqa: S105 - planted, to be looked for


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    granted = Reply(body={"access_token": "token-1", "token_type": "bearer", "expires_in": 3600})  # nosec B105 - planted
    with ScriptedServer({"POST /api/catalog/v1/oauth/tokens": granted}) as running:
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[PolarisClient]:
    limits = Timeouts(connect=0.5, read=0.5, total=2.0)
    with PolarisClient(server.url, "root", SECRET, management_url=server.url, timeouts=limits) as connected:
        yield connected

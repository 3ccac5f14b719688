"""A real stand-in in this process, a gate before it where requests can be lost, and a scripted object store."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import uvicorn
from floe_ops.warehouse import Warehouse
from polaris_standin import principals, server
from polaris_standin.app import Api
from polaris_standin.doubles import Buckets, Gate
from polaris_standin.engines.sqlite import Sqlite
from polaris_standin.health import Health
from polaris_standin.iceberg.storage import Storage
from polaris_standin.metrics import Metrics
from polaris_standin.scripted import ScriptedServer
from polaris_standin.service import Service
from polaris_standin.store import Store
from polaris_standin.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

SECRET = "planted-root-secret"  # noqa: S105 - planted, to be looked for


@contextmanager
def _serving(app: ASGIApp) -> Iterator[str]:
    listener = server.listen("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets()


class Switch:
    """An application that can be replaced, so that one server serves many fresh states."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Switch, str, Switch, str]]:
    api, management = Switch(), Switch()
    with _serving(api) as api_url, _serving(management) as management_url:
        yield api, api_url, management, management_url


@pytest.fixture
def polaris(servers: tuple[Switch, str, Switch, str]) -> tuple[str, str]:
    """API and management URL of a fresh stand-in."""
    api, api_url, management, management_url = servers
    store = Store(Sqlite())
    principals.bootstrap(store, "root", SECRET)
    metrics = Metrics()
    api.app = Api(Service(store, Tokens(3600), Storage(), "POLARIS"), metrics)
    management.app = Health(store, metrics)
    return api_url, management_url


@pytest.fixture
def gate(polaris: tuple[str, str]) -> Gate:
    return Gate(polaris[0])


@pytest.fixture
def warehouse(polaris: tuple[str, str], gate: Gate, buckets: Buckets) -> Iterator[Warehouse]:
    with ScriptedServer({"*": gate}) as before, ScriptedServer({"*": buckets}) as s3:
        bucket = f"b-{uuid4().hex[:8]}"
        yield Warehouse(
            before.url,
            polaris[1],
            location=f"s3://{bucket}",
            bucket=bucket,
            client_id="root",
            client_secret=SECRET,
            s3_endpoint=s3.url,
            s3_access_key="key",
            s3_secret_key="planted-s3-secret",  # noqa: S106 - planted, to be looked for
            source="a test",
        )

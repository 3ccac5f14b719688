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
from polaris_standin.health import Health
from polaris_standin.iceberg.storage import Storage
from polaris_standin.metrics import Metrics
from polaris_standin.scripted import Reply, ScriptedServer, Seen, forward
from polaris_standin.service import Service
from polaris_standin.store import Store
from polaris_standin.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

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


class Buckets:
    """The buckets of a scripted object store."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.created: list[str] = []

    def __call__(self, seen: Seen) -> Reply:
        bucket = seen.path.strip("/").partition("?")[0]
        if seen.method == "PUT":
            if bucket in self.names:
                return Reply(409, "<Error><Code>BucketAlreadyOwnedByYou</Code></Error>")
            self.names.add(bucket)
            self.created.append(bucket)
            return Reply(200)
        return Reply(200 if bucket in self.names else 404)


class Gate:
    """Stands before Polaris and loses writes: the n-th one before or after the server took it.

    `lose` is 0 for none; `taken` says whether the server still gets the lost write.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.lose = 0
        self.taken = False
        self.writes: list[Seen] = []

    def __call__(self, seen: Seen) -> Reply:
        if seen.method == "GET" or seen.path.endswith("/oauth/tokens"):
            return forward(self.url, seen)
        self.writes.append(seen)
        if len(self.writes) == self.lose:
            if self.taken:
                forward(self.url, seen)
            return Reply(0)
        return forward(self.url, seen)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets()


@pytest.fixture
def polaris() -> Iterator[tuple[str, str]]:
    """API and management URL of a fresh stand-in."""
    store = Store(None)
    principals.bootstrap(store, "root", SECRET)
    service = Service(store, Tokens(3600), Storage(), "POLARIS")
    metrics = Metrics()
    with _serving(Api(service, metrics)) as api, _serving(Health(store, metrics)) as management:
        yield api, management


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

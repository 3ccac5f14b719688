"""Whatever Helm, Dagster, Jaeger, a registry or the API server answers: a value, or an error with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_core.testing.receiver import Receiver, receiving, reply
from floe_ops.clients import registry_auth
from floe_ops.clients.dagster import Dagster
from floe_ops.clients.helm_model import read_history, read_list, read_release
from floe_ops.clients.jaeger import Jaeger
from floe_ops.clients.registry import RegistryClient
from hypothesis import given
from hypothesis import strategies as st

MOMENT = "2026-11-27T18:30:01.123456789Z"
HISTORY = [{"revision": 2, "updated": MOMENT, "status": "deployed", "chart": "c-1", "description": "Rollback to 1"}]
STATUS = {
    "name": "floe", "namespace": "n", "version": 2,
    "info": {"status": "deployed", "last_deployed": MOMENT, "description": "Install complete"},
}  # fmt: skip
LIST = [{"name": "f", "namespace": "n", "revision": "7", "updated": "2026-01-02 03:04:05.5 +0200 CEST", "status": "x"}]
SERVER = {f"dagster_{part}": "1.13.27" for part in ("webserver_version", "version", "graphql_version")}
LOADED = {"__typename": "RepositoryLocation", "repositories": [{"name": "r"}]}
BROKEN = {"__typename": "PythonError", "message": "m", "causes": [{"message": "c"}]}
ENTRIES = [{"name": "l", "loadStatus": "LOADED", "locationOrLoadError": one} for one in (LOADED, BROKEN, None)]
WORKSPACE = {"data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": ENTRIES}}}
NODES = [{"name": "r", "location": {"name": "l"}}]
REPOSITORIES = {"data": {"repositoriesOrError": {"__typename": "RepositoryConnection", "nodes": NODES}}}
ERRORS = {"errors": [{"message": "m"}]}
SPAN = {
    "spanID": "b" * 16, "operationName": "o", "processID": "p1", "startTime": 1, "duration": 2,
    "tags": [{"key": "k", "value": "v"}], "references": [{"refType": "CHILD_OF", "spanID": "c" * 16}],
}  # fmt: skip
TRACE = {"data": [{"traceID": "a" * 32, "spans": [SPAN], "processes": {"p1": {"serviceName": "s"}}}]}
MANIFEST = {"schemaVersion": 2, "mediaType": "m", "config": {"digest": "d", "size": 1}, "layers": []}


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def answering(server: Receiver, raw: bytes, status: int = 200) -> None:
    server.requests.clear()
    server.script = [reply(status, raw)]


@pytest.mark.parametrize("read", [read_history, read_list, read_release])
def test_any_answer_of_helm_is_read_or_refused(read: Callable[[str], object]) -> None:
    @BOUNDED
    @given(inputs(HISTORY, STATUS, LIST))
    def judged(raw: bytes) -> None:
        lives_through(lambda: read(raw.decode("utf-8", "replace")))

    judged()


@BOUNDED
@given(inputs(SERVER, WORKSPACE, REPOSITORIES, ERRORS), st.sampled_from([200, 400, 500]))
def test_any_answer_of_dagster_is_read_or_refused(server: Receiver, raw: bytes, status: int) -> None:
    answering(server, raw, status)
    client = Dagster(server.url)
    for ask in (client.server_info, client.locations, client.repositories):
        lives_through(ask)


@BOUNDED
@given(inputs(TRACE, {"data": ["s"]}), st.sampled_from([200, 404, 500]))
def test_any_answer_of_jaeger_is_read_or_refused(server: Receiver, raw: bytes, status: int) -> None:
    answering(server, raw, status)
    client = Jaeger(server.url)
    lives_through(client.services)
    lives_through(lambda: client.trace("a" * 32))
    lives_through(lambda: client.traces("s"))


@BOUNDED
@given(inputs(MANIFEST))
def test_any_document_of_a_registry_is_read_or_refused(server: Receiver, raw: bytes) -> None:
    answering(server, raw)
    with RegistryClient(server.url.removeprefix("http://")) as client:
        lives_through(lambda: client.document("x", "latest"))
        lives_through(lambda: client.json_blob("x", "sha256:" + "0" * 64))


@BOUNDED
@given(inputs({"token": "t"}, {"access_token": "t"}))
def test_any_answer_of_a_token_service_is_read_or_refused(server: Receiver, raw: bytes) -> None:
    import requests

    answering(server, raw)
    challenge = f'Bearer realm="{server.url}",service="s",scope="x"'
    with requests.Session() as session:
        lives_through(lambda: registry_auth.authorization(session, challenge, None, host="h", timeout=5))


@BOUNDED
@given(raw=inputs({"auths": {"h": {"auth": "dTpw"}}}))
def test_any_stored_login_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "docker"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(folder))
        lives_through(lambda: registry_auth.stored_credentials("h"))

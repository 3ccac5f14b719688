"""The client against a real webserver with two code locations, and against answers that a healthy one never gives."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from floe_core.errors import MissingToolError, NotReadyError, WrongStateError
from floe_ops.clients.dagster import Dagster, Repository
from polaris_standin.contract.stack import Process, free_port
from polaris_standin.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = """\
from dagster import Definitions, asset


@asset
def orders() -> None: ...


defs = Definitions(assets=[orders])
"""
BROKEN = """\
from pathlib import Path

if not (Path(__file__).parent / "mended").exists():
    raise ValueError("planted fault")
"""
WORKSPACE = """\
load_from:
  - python_file: {relative_path: good.py, location_name: good}
  - python_file: {relative_path: broken.py, location_name: broken}
"""
RELOAD = """
mutation { reloadRepositoryLocation(repositoryLocationName: "broken") { __typename } }
"""
INFO = Reply(body={f"dagster_{part}": "1.13.27" for part in ("webserver_version", "version", "graphql_version")})


class Webserver(Process):
    """A real Dagster webserver; `mend` makes its broken code location load."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = {"good.py": GOOD, "broken.py": BROKEN + GOOD, "workspace.yaml": WORKSPACE}
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        program = Path(sys.executable).with_name("dagster-webserver")
        words = ["-h", "127.0.0.1", "-p", str(port), "-w", str(folder / "workspace.yaml")]
        environment = {"DAGSTER_HOME": str(folder), "DAGSTER_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
        super().__init__([str(program), *words], folder / "webserver.log", environment, folder)
        self.wait_for(lambda: requests.get(f"{self.url}/server_info", timeout=2).ok, 150)

    def mend(self) -> None:
        (self._folder / "mended").touch()
        requests.post(f"{self.url}/graphql", json={"query": RELOAD}, timeout=60).raise_for_status()


@pytest.fixture(scope="module")
def webserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    with Webserver(tmp_path_factory.mktemp("dagster")) as running:
        yield running


@pytest.mark.timeout(300)  # seconds when quiet; it loads each code location in a process of its own
def test_a_real_webserver_names_what_is_loaded_and_what_is_not(webserver: Webserver) -> None:
    client = Dagster(webserver.url)
    assert client.server_info().dagster.count(".") == 2
    with pytest.raises(WrongStateError, match="1 of 2 code locations are not loaded") as caught:
        client.wait_until_loaded(0.3)
    assert "broken: " in caught.value.why
    assert "planted fault" in caught.value.why
    locations = {one.name: one for one in client.locations()}
    assert locations["good"].is_loaded
    assert not locations["broken"].is_loaded
    assert client.repositories() == (Repository("__repository__", "good"),)
    webserver.mend()
    loaded = client.wait_until_loaded(60, expected=("good", "broken"))
    assert sorted((one.name, one.repositories) for one in loaded.locations) == [
        ("broken", ("__repository__",)),
        ("good", ("__repository__",)),
    ]
    with pytest.raises(WrongStateError, match="missing: other") as caught:
        client.wait_until_loaded(0.1, expected=("good", "other"))
    assert "broken" in caught.value.why


def entry(name: str, status: str, found: dict[str, Any] | None) -> dict[str, Any]:
    return {"name": name, "loadStatus": status, "locationOrLoadError": found}


def workspace(*entries: dict[str, Any]) -> Reply:
    return Reply(body={"data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": list(entries)}}})


SERVED = {"__typename": "RepositoryLocation", "repositories": [{"name": "r"}]}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"GET /server_info": INFO}) as running:
        yield running


def test_a_location_that_loads_is_waited_for(server: ScriptedServer) -> None:
    lines: list[str] = []
    loading, done = workspace(entry("a", "LOADING", None)), workspace(entry("a", "LOADED", SERVED))
    server.script["POST /graphql"] = [loading, loading, done]
    assert Dagster(server.url).wait_until_loaded(10, tell=lines.append).locations[0].repositories == ("r",)
    assert lines == ["waiting for Dagster: code locations are still loading: a: Dagster says LOADING"]
    server.script["POST /graphql"] = loading
    with pytest.raises(NotReadyError, match="still loading: a"):
        Dagster(server.url).wait_until_loaded(0.3)


def test_an_empty_workspace_is_wrong(server: ScriptedServer) -> None:
    server.script["POST /graphql"] = workspace()
    with pytest.raises(WrongStateError, match="the workspace is empty"):
        Dagster(server.url).wait_until_loaded(0.1)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, "<html>"), "<html>"),
        (Reply(200, {"data": {}}), "another shape"),
        (Reply(200, {"data": {"workspaceOrError": {"__typename": "Workspace"}}}), "locationEntries"),
        (Reply(400, {"errors": [{"message": "Cannot query field"}]}), "Cannot query field"),
        (Reply(200, {"data": {"workspaceOrError": {"__typename": "PythonError", "message": "no disk"}}}), "no disk"),
        (Reply(500, {"detail": "broken"}), "HTTP 500"),
    ],
)
def test_an_answer_of_another_kind_is_shown(server: ScriptedServer, reply: Reply, words: str) -> None:
    server.script["POST /graphql"] = reply
    with pytest.raises(WrongStateError, match=words):
        Dagster(server.url).locations()
    with pytest.raises(WrongStateError):
        Dagster(server.url).repositories()


def test_something_that_is_no_dagster_is_told(server: ScriptedServer) -> None:
    server.script["GET /server_info"] = Reply(200, {"version": "3"})
    with pytest.raises(WrongStateError, match="dagster_webserver_version"):
        Dagster(server.url).server_info()


def test_nothing_there_is_missing_at_once_and_late_at_the_deadline() -> None:
    client = Dagster("http://127.0.0.1:1")
    with pytest.raises(MissingToolError, match="ConnectionError"):
        client.server_info()
    start = time.monotonic()
    with pytest.raises(NotReadyError, match=r"within 0\.3 s"):
        client.wait_until_loaded(0.3)
    assert time.monotonic() - start < 10

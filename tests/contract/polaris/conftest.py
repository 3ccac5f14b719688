"""The servers of the contract suite: the stand-in, a Polaris distribution, or a running Polaris."""

from __future__ import annotations

import os
import secrets
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from polaris_standin.contract.recording import Exchange, load
from polaris_standin.contract.replay import Replay
from polaris_standin.contract.stack import Keys, ObjectStore, Polaris, Proxy, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
OPTIONS: dict[str, dict[str, Any]] = {"B": {"token_seconds": 3}, "C": {"requires_realm": True}}
URL = os.environ.get("FLOE_POLARIS_URL", "")
HOME = os.environ.get("FLOE_POLARIS_HOME", "")
IS_STANDIN = not URL and not HOME


def replayed_servers() -> list[str]:
    """Letters of the recorded servers that can be replayed to the target; E has no single exchanges."""
    return ["A"] if URL else ["A", "B", "C", "D", "F", "G"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "section" in metafunc.fixturenames:
        answered = [exchange for exchange in load(FOLDER / "polaris-1.4.1.jsonl") if exchange.answer]
        found = dict.fromkeys((exchange.server, exchange.section) for exchange in answered)
        wanted = [pair for pair in found if pair[0] in replayed_servers()]
        metafunc.parametrize(("letter", "section"), wanted)


def pytest_report_header() -> str:
    target = f"server at {URL}" if URL else f"distribution in {HOME}" if HOME else "the stand-in"
    return f"polaris contract: {target}"


@pytest.fixture(scope="session")
def recording() -> list[Exchange]:
    return load(FOLDER / "polaris-1.4.1.jsonl")


@pytest.fixture(scope="session")
def plan() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "replay.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def is_standin() -> bool:
    return IS_STANDIN


@pytest.fixture(scope="session")
def keys() -> Keys:
    if URL:
        return Keys(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    return Keys("contract", secrets.token_hex(16))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Proxy]:
    with ObjectStore(tmp_path_factory.mktemp("store"), keys) as process:
        yield Proxy(process.port)


class Replays:
    """Replays each recorded server once, when its results are first asked for."""

    def __init__(self, folder: Path, keys: Keys, store: Proxy, recording: list[Exchange], plan: dict[str, Any]) -> None:
        self._folder, self._keys, self._store = folder, keys, store
        self._recording, self._plan = recording, plan
        self._results: dict[str, dict[str, list[str]]] = {}
        self._foreign_token = ""

    def of(self, letter: str) -> dict[str, list[str]]:
        """Differences by id."""
        if letter == "B":
            # B is shown a token of the process before it.
            self.of("A")
        if letter not in self._results:
            if URL:
                self._results[letter] = self._run(letter, running_server())
            else:
                home = Path(HOME) if HOME else None
                with Polaris(self._folder, self._keys, home=home, **OPTIONS.get(letter, {})) as polaris:
                    self._results[letter] = self._run(letter, polaris.server)
        return self._results[letter]

    def _run(self, letter: str, server: Server) -> dict[str, list[str]]:
        issuers = self._plan["issuers"][letter]
        replay = Replay(server, self._store, issuers, self._foreign_token)
        results = replay.run(exchange for exchange in self._recording if exchange.server == letter)
        self._foreign_token = replay.tokens[issuers["root"]]
        return results


@pytest.fixture(scope="session")
def replays(
    tmp_path_factory: pytest.TempPathFactory,
    keys: Keys,
    store: Proxy,
    recording: list[Exchange],
    plan: dict[str, Any],
) -> Replays:
    return Replays(tmp_path_factory.mktemp("replays"), keys, store, recording, plan)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Server]:
    """A server for tests that make names of their own."""
    if URL:
        yield running_server()
        return
    with Polaris(tmp_path_factory.mktemp("server"), keys, home=Path(HOME) if HOME else None) as polaris:
        yield polaris.server


def running_server() -> Server:
    """The server that FLOE_POLARIS_URL names."""
    parts = urlsplit(URL)
    management = os.environ.get("FLOE_POLARIS_MANAGEMENT_URL", f"{parts.scheme}://{parts.hostname}:8182")
    api = f"{parts.scheme}://{parts.netloc}"
    requests.get(f"{management}/q/health/ready", timeout=10).raise_for_status()
    return Server(api, management, os.environ["POLARIS_CLIENT_ID"], os.environ["POLARIS_CLIENT_SECRET"])

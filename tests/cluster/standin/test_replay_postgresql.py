"""The recorded contract, replayed to a stand-in whose state is in PostgreSQL."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from polaris_standin.contract.recording import load
from polaris_standin.contract.replay import Replay
from polaris_standin.contract.stack import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from polaris_standin.contract.stack import ObjectStore, Polaris

CONTRACT = Path(__file__).parents[2] / "contract" / "polaris"
# As tests/contract/polaris starts each recorded server; B is shown a token of the process before it.
SERVERS: dict[str, dict[str, Any]] = {
    "A": {},
    "B": {"token_seconds": 3},
    "C": {"requires_realm": True},
    "D": {},
    "F": {},
    "G": {},
}


@pytest.mark.timeout(300)
def test_every_recorded_exchange_is_answered_as_over_sqlite(
    postgresql: Any, objects: ObjectStore, start: Callable[..., Polaris]
) -> None:
    recording = load(CONTRACT / "polaris-1.4.1.jsonl")
    plan = tomllib.loads((CONTRACT / "replay.toml").read_text(encoding="utf-8"))
    excepted = {exchange_id for entry in plan["differs"] for exchange_id in entry["ids"]}
    store, foreign, replayed = Proxy(objects.port), "", 0
    faults: dict[str, list[str]] = {}
    for letter, options in SERVERS.items():
        polaris = start(postgresql.database(), options)
        replay = Replay(polaris.server, store, plan["issuers"][letter], foreign)
        found = replay.run(exchange for exchange in recording if exchange.server == letter)
        foreign = replay.tokens[plan["issuers"][letter]["root"]]
        replayed += len(found)
        faults |= {name: differs for name, differs in found.items() if differs and name not in excepted}
        polaris.end()
    assert faults == {}
    assert replayed >= 300

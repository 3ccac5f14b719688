from __future__ import annotations

from pathlib import Path

from polaris_standin.contract.recording import load
from polaris_standin.contract.replay import _winners_first

RECORDING = Path(__file__).parents[4] / "tests" / "contract" / "polaris" / "polaris-1.4.1.jsonl"


def test_of_a_race_the_winner_goes_first_and_the_rest_keeps_its_order() -> None:
    exchanges = load(RECORDING)
    ordered = _winners_first(exchanges)
    moved = [(old.id, new.id) for old, new in zip(exchanges, ordered, strict=True) if old is not new]
    assert ("w369", "w370") in moved
    assert {old for old, _ in moved} <= {f"w{number}" for number in range(361, 373)}
    assert sorted(exchange.id for exchange in ordered) == [exchange.id for exchange in exchanges]

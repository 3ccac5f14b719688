"""The target answers the recorded requests as the recorded server did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from polaris_standin.contract.recording import Exchange

LEAST_SHARE = 0.9


class Replays(Protocol):
    def of(self, letter: str) -> dict[str, list[str]]: ...


def _ids(plan: dict[str, Any], kind: str) -> list[str]:
    return [exchange_id for entry in plan[kind] for exchange_id in entry["ids"]]


def test_section_is_answered_as_recorded(
    letter: str, section: str, replays: Replays, recording: list[Exchange], plan: dict[str, Any]
) -> None:
    results = replays.of(letter)
    expected = [e for e in recording if e.server == letter and e.section == section and e.answer]
    excepted = set(_ids(plan, "differs"))
    faults = {
        f"{exchange.id} {exchange.method} {exchange.path} ({exchange.note})": results[exchange.id]
        for exchange in expected
        if results[exchange.id] and exchange.id not in excepted
    }
    assert expected
    assert not faults


def test_exceptions_name_exchanges_once_and_give_a_reason(recording: list[Exchange], plan: dict[str, Any]) -> None:
    listed = _ids(plan, "no_answer") + _ids(plan, "differs")
    assert len(listed) == len(set(listed))
    assert set(listed) <= {exchange.id for exchange in recording}
    assert all(entry["reason"] for kind in ("no_answer", "differs") for entry in plan[kind])


def test_exchanges_without_answer_are_exactly_those_listed(recording: list[Exchange], plan: dict[str, Any]) -> None:
    unanswered = {exchange.id for exchange in recording if exchange.answer is None}
    assert unanswered == set(_ids(plan, "no_answer"))


def test_exceptions_do_differ(
    replays: Replays, recording: list[Exchange], plan: dict[str, Any], *, is_standin: bool
) -> None:
    """An exception that is not needed any more has to go. (What differs on a real server, it alone knows.)"""
    excepted = set(_ids(plan, "differs"))
    matching = [
        exchange.id
        for exchange in recording
        if is_standin and exchange.id in excepted and not replays.of(exchange.server)[exchange.id]
    ]
    assert matching == []


def test_nearly_all_answers_are_replayed(recording: list[Exchange], plan: dict[str, Any]) -> None:
    answered = [exchange for exchange in recording if exchange.answer]
    assert len(answered) - len(_ids(plan, "differs")) >= LEAST_SHARE * len(answered)

"""The matcher must not be kind: any recorded answer with one thing changed is rejected."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from polaris_standin.contract.matcher import Bindings, differences, is_volatile
from polaris_standin.contract.recording import Answer, Exchange, load

RECORDING = Path(__file__).parents[4] / "tests" / "contract" / "polaris" / "polaris-1.4.1.jsonl"
EXCHANGES = [exchange for exchange in load(RECORDING) if exchange.answer is not None]

Steps = tuple[str | int, ...]


def _answer(exchange: Exchange) -> Answer:
    assert exchange.answer is not None
    return exchange.answer


def _leaves(value: Any, steps: Steps = ()) -> list[tuple[Steps, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in _leaves(value[key], (*steps, key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*steps, index))]
    return [(steps, value)]


def _with(value: Any, steps: Steps, change: Any) -> Any:
    """A copy with one leaf replaced, or taken away when `change` is Ellipsis."""
    if not steps:
        return None if change is ... else change
    changed = copy.deepcopy(value)
    place = changed
    for step in steps[:-1]:
        place = place[step]
    if change is ...:
        del place[steps[-1]]
    else:
        place[steps[-1]] = change
    return changed


def _other(name: str, value: Any) -> list[Any]:
    """Values that a leaf must not have instead of its own."""
    if is_volatile(name, value):
        # Another id or time may well be right; something that is none may not.
        return [None, "", [], 0] if isinstance(value, int) else [None, "", [], 7]
    if isinstance(value, bool):
        return [not value, None, str(value), int(value)]
    if isinstance(value, int):
        return [value + 1, -value - 1, str(value), None, float(value)]
    if isinstance(value, str):
        return [f"{value}x", f" {value}", value.swapcase() + "?", None, 1, [value]]
    return [1, "x", {"a": 1}, ["a"]]


@st.composite
def changed_answers(draw: st.DrawFn) -> tuple[Exchange, Answer]:
    exchange = draw(st.sampled_from(EXCHANGES))
    answer = _answer(exchange)
    part = draw(st.sampled_from(["status", "body", "body", "body", "field", "jwt"]))
    if part == "status":
        status = draw(st.integers(100, 599).filter(lambda number: number != answer.status))
        return exchange, Answer(status, answer.headers, answer.body, answer.jwt)
    if part == "field" and isinstance(answer.body, dict):
        body = {**answer.body, "one-field-too-many": draw(st.none() | st.booleans())}
        return exchange, Answer(answer.status, answer.headers, body, answer.jwt)
    if part == "jwt" and answer.jwt is not None and not exchange.is_poll:
        fixed = [(s, v) for s, v in _leaves(answer.jwt) if s[-1] not in ("iat", "exp")]
        steps, value = draw(st.sampled_from(fixed))
        jwt = _with(answer.jwt, steps, draw(st.sampled_from([..., *_other(str(steps[-1]), value)])))
        return exchange, Answer(answer.status, answer.headers, answer.body, jwt)
    steps, value = draw(st.sampled_from(_leaves(answer.body)))
    name = next((step for step in reversed(steps) if isinstance(step, str)), "")
    change = draw(st.sampled_from([*([...] if steps else []), *_other(name, value)]))
    return exchange, Answer(answer.status, answer.headers, _with(answer.body, steps, change), answer.jwt)


def test_every_recorded_answer_matches_itself() -> None:
    bindings: dict[str, Bindings] = {}
    faults = {}
    for exchange in EXCHANGES:
        answer = _answer(exchange)
        known = bindings.setdefault(exchange.server, Bindings())
        faults[exchange.id] = differences(answer, answer, known, few_headers=exchange.is_poll)
    assert not {key: found for key, found in faults.items() if found}


@settings(max_examples=400, deadline=None, database=None, print_blob=True)
@given(changed_answers())
def test_an_answer_with_one_thing_changed_is_rejected(case: tuple[Exchange, Answer]) -> None:
    exchange, changed = case
    assert differences(_answer(exchange), changed, Bindings(), few_headers=exchange.is_poll)


def test_an_id_is_another_number_and_never_none() -> None:
    answers = [_answer(one) for one in EXCHANGES if not one.is_poll]
    answer = next(one for one in answers if "principalId" in (one.jwt or {}).get("claims", {}))
    for number, is_id in ((4711, True), (0, False), (-1, False)):
        changed = _with(answer.jwt, ("claims", "principalId"), number)
        other = Answer(answer.status, answer.headers, answer.body, changed)
        assert (differences(answer, other, Bindings()) == []) is is_id, number


@settings(max_examples=200, deadline=None, database=None, print_blob=True)
@given(st.data())
def test_an_answer_with_another_header_is_rejected(data: st.DataObject) -> None:
    exchange = data.draw(st.sampled_from([e for e in EXCHANGES if not e.is_poll]))
    answer = _answer(exchange)
    name = data.draw(st.sampled_from(sorted(set(answer.headers) - {"content-length"}) or ["x-request-id"]))
    value = data.draw(st.sampled_from([None, "other", "", f"{answer.headers.get(name)}x"]))
    headers = {key: old for key, old in answer.headers.items() if key != name}
    if value is not None:
        headers[name] = value
    if headers == answer.headers:
        return
    assert differences(answer, Answer(answer.status, headers, answer.body, answer.jwt), Bindings())


def test_a_length_is_compared_where_it_is_the_same() -> None:
    answer = Answer(200, {"content-length": "149"}, {"status": "UP"})
    assert differences(answer, Answer(200, {"content-length": "150"}, {"status": "UP"}), Bindings())


def test_few_values_are_taken_by_their_form_only() -> None:
    """A matcher that finds everything volatile would accept anything."""
    leaves = [
        (str(next((s for s in reversed(steps) if isinstance(s, str)), "")), value)
        for exchange in EXCHANGES
        for steps, value in _leaves(_answer(exchange).body)
    ]
    volatile = [value for name, value in leaves if is_volatile(name, value)]
    assert len(volatile) < 0.3 * len(leaves)
    messages = [value for name, value in leaves if name in ("message", "type", "name", "code", "privilege")]
    assert not [value for value in messages if is_volatile("message", value)]


def test_the_same_recorded_id_must_stay_the_same() -> None:
    bindings = Bindings()
    one, two = "d7b4c106-49f3-4a14-9507-17709f2d912a", "e9cede42-69f9-49e3-98af-a04f8014a0ab"
    assert not differences(Answer(200, {}, {"u": one}), Answer(200, {}, {"u": two}), bindings)
    assert differences(Answer(200, {}, {"u": one}), Answer(200, {}, {"u": one}), bindings)
    assert not differences(Answer(200, {}, {"u": f"x/{one}/y"}), Answer(200, {}, {"u": f"x/{two}/y"}), bindings)


def test_two_recorded_ids_must_not_become_one() -> None:
    bindings = Bindings()
    one, two = "d7b4c106-49f3-4a14-9507-17709f2d912a", "e9cede42-69f9-49e3-98af-a04f8014a0ab"
    recorded = Answer(200, {}, [one, two])
    assert differences(recorded, Answer(200, {}, [one, one]), bindings)
    assert not differences(recorded, Answer(200, {}, [two, one]), bindings)


def test_a_mismatch_binds_nothing() -> None:
    bindings = Bindings()
    one, two = "d7b4c106-49f3-4a14-9507-17709f2d912a", "e9cede42-69f9-49e3-98af-a04f8014a0ab"
    assert differences(Answer(200, {}, {"u": one}), Answer(500, {}, {"u": two}), bindings)
    assert bindings.values == {}


def test_order_counts_except_where_it_means_nothing() -> None:
    for name, matches in (("allowedLocations", True), ("roles", False)):
        found = differences(Answer(200, {}, {name: ["a", "b"]}), Answer(200, {}, {name: ["b", "a"]}), Bindings())
        assert bool(found) is not matches
    text = "Principal 'p' with activated PrincipalRoles '[{}]' and activated grants via '[b]'"
    old = Answer(403, {}, {"m": text.format("a, b")})
    assert not differences(old, Answer(403, {}, {"m": text.format("b, a")}), Bindings())
    assert differences(old, Answer(403, {}, {"m": text.format("b")}), Bindings())

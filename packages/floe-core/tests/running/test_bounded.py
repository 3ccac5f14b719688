"""Calls of foreign code: their answer, their error, and no longer than they are given."""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar

import pytest
from floe_core.errors import FloeError, NotReadyError, WrongStateError
from floe_core.running.bounded import bounded


def test_the_answer_is_given_back() -> None:
    assert bounded("asking", lambda: 7, 10) == 7
    assert bounded("asking", lambda: None, 10) is None


def test_a_call_that_hangs_is_left_behind() -> None:
    over = threading.Event()
    with pytest.raises(NotReadyError, match="asking did not end") as caught:
        bounded("asking", lambda: over.wait(60), 0.1)
    over.set()
    assert "0.1 s" in caught.value.why


def test_a_call_that_ends_its_thread_is_told() -> None:
    with pytest.raises(FloeError, match="asking failed") as caught:
        bounded("asking", lambda: sys.exit(3), 10)
    assert "SystemExit" in caught.value.why


def test_a_call_knows_the_span_that_it_is_made_in() -> None:
    known: ContextVar[str] = ContextVar("known", default="nothing")
    token = known.set("the caller's")
    try:
        assert bounded("asking", known.get, 10) == "the caller's"
    finally:
        known.reset(token)


def test_a_failure_of_ours_is_as_it_is_and_a_foreign_one_without_its_words() -> None:
    def ours() -> None:
        raise WrongStateError("not so", why="because")

    def foreign() -> None:
        raise KeyError("planted-value-of-a-secret")

    with pytest.raises(WrongStateError, match="not so"):
        bounded("asking", ours, 10)
    with pytest.raises(FloeError, match="asking failed") as caught:
        bounded("asking", foreign, 10)
    assert "KeyError" in caught.value.why
    assert "planted" not in str(caught.value)

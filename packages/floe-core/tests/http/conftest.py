"""A real server on the loopback that does what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from floe_core.http import delivery
from floe_core.testing.receiver import Action, Receiver, deaf, receiving, reply


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts begin at 10 ms, so that retries cost the tests little."""
    monkeypatch.setattr(delivery, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server on a free port; answers 200 unless told otherwise."""
    with receiving() as running:
        yield running


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL where nobody listens."""
    with deaf() as url:
        yield url


@pytest.fixture
def answers() -> Callable[..., Action]:
    """Makes an answer: `answers(503, Retry_After="1")`."""
    return reply

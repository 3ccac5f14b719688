"""A real receiver on the loopback, and a judge of what Slack documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from floe_core.http import delivery
from floe_core.plugins import Alert, Severity
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


@pytest.fixture
def alert() -> Alert:
    """An alert with everything."""
    return Alert(
        "A test of mart_orders failed",
        Severity.CRITICAL,
        "customer-360",
        datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        details={"expected": "0 rows", "seen": "3 rows"},
        labels={"model": "mart_orders"},
        link="https://dagster.example.com/runs/1?a=1&b=2",
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _text(part: Any, limit: int, where: str, kinds: set[str]) -> list[str]:
    wrong = [] if part["type"] in kinds else [f"{where}: type {part['type']}"]
    if not 1 <= _units(part["text"]) <= limit or not part["text"].strip():
        wrong.append(f"{where}: {_units(part['text'])} characters")
    if part["type"] == "mrkdwn":
        bare = re.sub(r"<https?://[^<>|\s]+\|more>", "", part["text"])
        wrong += [f"{where}: unescaped {one}" for one in "<>" if one in bare]
    wrong += [f"{where}: a torn escape" for _ in re.findall(r"&(?!amp;|lt;|gt;)", part["text"])]
    return wrong


def _block(block: Any, where: str) -> list[str]:
    if block["type"] == "header":
        return _text(block["text"], 150, where, {"plain_text"})
    if block["type"] == "section":
        fields = block.get("fields", [])
        wrong = [f"{where}: {len(fields)} fields"] if len(fields) > 10 or not (fields or "text" in block) else []
        texts = [(block["text"], 3000)] if "text" in block else []
        for part, limit in [*texts, *((one, 2000) for one in fields)]:
            wrong += _text(part, limit, where, {"mrkdwn", "plain_text"})
        return wrong
    if block["type"] == "context":
        parts = block["elements"]
        wrong = [] if 1 <= len(parts) <= 10 else [f"{where}: {len(parts)} elements"]
        return [*wrong, *(one for part in parts for one in _text(part, 3000, where, {"mrkdwn", "plain_text"}))]
    return [f"{where}: unknown block {block['type']}"]


def slack_problems(payload: Any) -> str:
    """What Slack would not take, by the limits that its reference of Block Kit documents; empty where nothing."""
    blocks = payload["blocks"]
    wrong = [] if 1 <= len(blocks) <= 50 else [f"{len(blocks)} blocks"]
    if not 1 <= _units(payload["text"]) <= 40_000:
        wrong.append("the fallback text")
    for number, block in enumerate(blocks):
        wrong += _block(block, f"blocks[{number}]")
    return "; ".join(wrong)


@pytest.fixture(scope="session")
def slack_judge() -> Callable[[Any], str]:
    """What Slack would not take of a payload."""
    return slack_problems

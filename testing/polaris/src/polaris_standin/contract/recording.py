"""Recorded exchanges with a real Polaris server, and answers in one shape for both sides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

API_PORT = 8181
MANAGEMENT_PORT = 8182


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: header names in lower case; body parsed JSON, text, or None when empty.

    `jwt` holds header and claims of a token that the body carries.
    """

    status: int
    headers: dict[str, str]
    body: Any
    jwt: dict[str, Any] | None = None


@dataclass(frozen=True)
class Exchange:
    """One line of a recording.

    `answer` is None where no HTTP answer came. `is_poll` marks a run of equal outcomes that was kept as one
    line, with fewer headers.
    """

    id: str
    server: str
    section: str
    note: str
    caller: str | None
    method: str
    port: int
    path: str
    query: dict[str, str] | None
    headers: dict[str, str]
    body: Any
    body_encoding: str | None
    answer: Answer | None
    is_poll: bool


def load(path: Path) -> list[Exchange]:
    """All exchanges of a recording, in the order in which they happened."""
    return [_exchange(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _exchange(row: dict[str, Any]) -> Exchange:
    request, response = row["request"], row["response"]
    return Exchange(
        id=row["id"],
        server=row["server"].split(":")[0],
        section=row["section"],
        note=row["note"] or "",
        caller=row["caller"],
        method=request["method"],
        port=request.get("port") or API_PORT,
        path=request.get("path") or "",
        query=request.get("query"),
        headers=request["headers"] or {},
        body=request["body"],
        body_encoding=request["body_encoding"],
        answer=_answer(response, row.get("jwt")),
        is_poll="poll" in row,
    )


def _answer(response: dict[str, Any], jwt: dict[str, Any] | None) -> Answer | None:
    if response["status"] is None:
        return None
    headers = {name.lower(): value for name, value in (response["headers"] or {}).items()}
    # The length of a token says nothing that its claims do not.
    kept = {key: jwt[key] for key in ("header", "claims")} if jwt else None
    return Answer(response["status"], headers, response["body"], kept)

"""Sends recorded requests to a server of today, with the values of today in them."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import requests

from polaris_standin.contract.matcher import Bindings, differences
from polaris_standin.contract.recording import MANAGEMENT_PORT, Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polaris_standin.contract.recording import Exchange
    from polaris_standin.contract.stack import Proxy, Server

_TIMEOUT_SECONDS = 30
_STORE_STOPPED = "object store stopped"
RECORDED_STORE = "127.0.0.1:19000"
ROOT_SECRET = "<root-secret>"  # noqa: S105 - the placeholder in the recording


@dataclass
class Replay:
    """One run of the exchanges of one recorded server against a server.

    Args:
        server: Where the requests go.
        store: The way to the object store, which can be closed.
        issuers: Caller (as recorded) to the id of the exchange that issued its token.
        foreign_token: A token of an earlier process.
    """

    server: Server
    store: Proxy
    issuers: dict[str, str]
    foreign_token: str = ""
    bindings: Bindings = field(default_factory=Bindings)
    tokens: dict[str, str] = field(default_factory=dict)

    def run(self, exchanges: Iterable[Exchange]) -> dict[str, list[str]]:
        """Differences by id of exchange, for all that have an HTTP answer."""
        with requests.Session() as session:
            return {
                exchange.id: self._one(session, exchange)
                for exchange in _winners_first(exchanges)
                if exchange.answer is not None
            }

    def _one(self, session: requests.Session, exchange: Exchange) -> list[str]:
        self.store.set_open(is_open=not exchange.note.startswith(_STORE_STOPPED))
        if "expired" in (exchange.caller or ""):
            self._wait_for_expiry(exchange)
        actual = self._send(session, exchange)
        if isinstance(actual.body, dict) and "access_token" in actual.body:
            self.tokens[exchange.id] = actual.body["access_token"]
        recorded = self._localised(exchange)
        return differences(recorded, actual, self.bindings, few_headers=exchange.is_poll)

    def _send(self, session: requests.Session, exchange: Exchange) -> Answer:
        base = self.server.management if exchange.port == MANAGEMENT_PORT else self.server.api
        query = {key: self._today(value, exchange) for key, value in (exchange.query or {}).items()}
        headers = {name: self._today(value, exchange) for name, value in exchange.headers.items()}
        response = session.request(
            exchange.method,
            f"{base}{exchange.path}",
            params=query,
            headers=headers,
            data=self._body(exchange),
            timeout=_TIMEOUT_SECONDS,
        )
        return answer_of(response)

    def _body(self, exchange: Exchange) -> Any:
        if exchange.body is None:
            return None
        if exchange.body_encoding == "form":
            return {key: self._today(value, exchange) for key, value in exchange.body.items()}
        text = exchange.body if exchange.body_encoding == "raw" else json.dumps(exchange.body)
        return self._today(text, exchange).encode()

    def _today(self, text: str, exchange: Exchange) -> str:
        """A recorded text with today's tokens, secrets, ids and addresses."""
        if text.startswith("Basic base64("):
            plain = self._today(text.removeprefix("Basic base64(").removesuffix(")"), exchange)
            return f"Basic {base64.b64encode(plain.encode()).decode()}"
        for placeholder, value in self._token_placeholders(exchange):
            text = text.replace(placeholder, value)
        text = text.replace(RECORDED_STORE, self.store.address).replace(ROOT_SECRET, self.server.secret)
        return self.bindings.translate(text)

    def _token_placeholders(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        token = self._token(exchange.caller)
        yield "<token>", token
        yield "<expired token>", token
        yield "<token of previous process>", self.foreign_token
        head, _, signature = self._token("root").rpartition(".")
        # The first character, since the last one of base64 may carry no information.
        yield "<token with altered signature>", f"{head}.{'B' if signature[:1] == 'A' else 'A'}{signature[1:]}"

    def _token(self, caller: str | None) -> str:
        # A lower-case scheme was recorded without its caller: it was root.
        return self.tokens.get(self.issuers.get(caller or "root", ""), "")

    def _wait_for_expiry(self, exchange: Exchange) -> None:
        expires = jwt.decode(self._token(exchange.caller), options={"verify_signature": False})["exp"]
        while (left := expires - time.time()) > -1:
            time.sleep(min(left + 1, 0.2))

    def _localised(self, exchange: Exchange) -> Answer:
        """The recorded answer with the address of today's object store."""
        recorded = exchange.answer
        if recorded is None:
            raise ValueError(f"{exchange.id} has no answer")
        body = json.loads(json.dumps(recorded.body).replace(RECORDED_STORE, self.store.address))
        return Answer(recorded.status, recorded.headers, body, recorded.jwt)


def answer_of(response: requests.Response) -> Answer:
    """An answer in the recording's shape."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body: Any = None
    if response.content:
        is_json = "json" in headers.get("content-type", "")
        body = response.json() if is_json else response.text
    token = body.get("access_token") if isinstance(body, dict) else None
    decoded = None
    if token:
        claims = jwt.decode(token, options={"verify_signature": False})
        decoded = {"header": jwt.get_unverified_header(token), "claims": claims}
    return Answer(response.status_code, headers, body, decoded)


def _winners_first(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The recorded order, but of requests that raced the one that won goes first.

    They are sent one after another here; races have tests of their own.
    """
    ordered = list(exchanges)
    races = [exchange for exchange in ordered if ", thread " in exchange.note]
    for name in dict.fromkeys(exchange.note.rpartition(", thread ")[0] for exchange in races):
        members = [exchange for exchange in races if exchange.note.startswith(f"{name}, thread ")]
        start = ordered.index(members[0])
        members.sort(key=lambda member: member.answer.status if member.answer else 0)
        ordered[start : start + len(members)] = members
    return ordered

"""Whatever an issuer publishes, and whatever is shown as a token: judged, never another exception."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from floe_core.testing.any_input import BOUNDED, encoded, inputs, lives_through, wrong
from floe_core.testing.receiver import Receiver, receiving, reply
from floe_identity_oidc.config import OidcConfig
from floe_identity_oidc.keys import fetch
from floe_identity_oidc.plugin import OidcPlugin
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

KEYS: dict[str, Any] = {
    "keys": [
        {"kty": "RSA", "kid": "a", "alg": "RS256", "use": "sig", "key_ops": ["verify"], "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "kid": "a", "crv": "P-256", "x": "AA", "y": "AA"},
    ]
}
HEADER = {"alg": "RS256", "kid": "a", "typ": "JWT"}


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def discovery(server: Receiver) -> dict[str, Any]:
    return {"issuer": server.url, "jwks_uri": f"{server.url}/keys"}


def look(server: Receiver) -> None:
    now = time.monotonic()
    for algorithm in ("RS256", "ES256", "EdDSA"):
        list(fetch(server.url, now, now + 5).fitting("a", algorithm))


@BOUNDED
@given(data=st.data())
def test_any_discovery_is_read_or_refused(server: Receiver, data: st.DataObject) -> None:
    raw = data.draw(inputs() | wrong(discovery(server)).map(encoded))
    server.script = [reply(200, raw), reply(200, encoded(KEYS))] * 3
    lives_through(lambda: look(server))


@BOUNDED
@example(raw=encoded({"keys": [{"kty": ["RSA"]}]}))
@given(raw=inputs(KEYS))
def test_any_keys_are_read_or_refused(server: Receiver, raw: bytes) -> None:
    server.script = [reply(200, encoded(discovery(server))), reply(200, raw)] * 3
    lives_through(lambda: look(server))


@BOUNDED
@given(header=inputs(HEADER), claims=inputs({"iss": "i", "sub": "s", "exp": 1}), junk=st.text(max_size=8))
def test_any_token_is_judged(server: Receiver, header: bytes, claims: bytes, junk: str) -> None:
    from base64 import urlsafe_b64encode

    server.script = [reply(200, encoded(discovery(server))), reply(200, encoded(KEYS))] * 2
    plugin = OidcPlugin(OidcConfig.model_validate({"issuer": server.url, "audience": ["floe"]}))
    parts = [urlsafe_b64encode(part).decode().rstrip("=") for part in (header, claims)]
    for token in (".".join([*parts, "AA"]), ".".join([*parts, junk]), junk):
        lives_through(lambda token=token: plugin.verify(SecretStr(token)))  # type: ignore[misc] # bound now

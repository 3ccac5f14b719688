"""Keys: fetched once, followed when they change, kept while the issuer is silent; and issuers that mean no good."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from floe_core.plugins.identity import (
    IdentityError,
    IdentityTimeoutError,
    IdentityUnavailableError,
    Refusal,
    TokenRefusedError,
)
from jwt.algorithms import RSAAlgorithm
from polaris_standin.scripted import Reply, ScriptedServer
from pydantic import SecretStr
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_identity_oidc.plugin import OidcPlugin

    from tests.conftest import Issuer

DISCOVERY, KEYS = "GET /.well-known/openid-configuration", "GET /keys"
HANG_S = 10.0  # a limit that works ends far below


@contextmanager
def dripping(lead: bytes, drop: bytes) -> Iterator[str]:
    """The URL of a server that sends `lead`, then `drop` twenty times a second without an end."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(lead)
                while not ended.wait(0.05):
                    connection.sendall(drop)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def refusal(plugin: OidcPlugin, token: str) -> Refusal:
    with pytest.raises(TokenRefusedError) as caught:
        plugin.verify(SecretStr(token))
    return caught.value.reason


def test_keys_are_fetched_once_for_all_threads(issuer: Issuer, plugin: OidcPlugin) -> None:
    issuer.server.script[KEYS] = lambda _: Reply(body={"keys": issuer.published}, wait_s=0.2)
    tokens = [SecretStr(issuer.sign(sub=f"user-{number}")) for number in range(40)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(plugin.verify, tokens))
    assert [who.subject for who in found] == [f"user-{number}" for number in range(40)]
    assert issuer.fetches == 1


def test_a_new_key_is_followed(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make(fetch_every_s=0.01)
    plugin.verify(SecretStr(issuer.sign()))
    issuer.add("k2")
    assert plugin.verify(SecretStr(issuer.sign("k2"))).subject == "ann"
    assert issuer.fetches == 2


def test_a_key_that_is_withdrawn_stops_counting(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make(keys_fresh_s=0.01, fetch_every_s=0.01)
    token = issuer.sign()
    plugin.verify(SecretStr(token))
    issuer.published.clear()
    issuer.add("k2")

    @retry(retry=retry_if_result(bool), wait=wait_fixed(0.02), stop=stop_after_delay(HANG_S))
    def counts() -> bool:
        try:
            plugin.verify(SecretStr(token))
        except TokenRefusedError as refused:
            return refused.reason is not Refusal.KEY
        return True

    assert not counts()


def test_unknown_keys_do_not_hammer_the_issuer(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make(fetch_every_s=600, keys_fresh_s=600)
    issuer.add("mine")
    issuer.published.pop()
    tokens = [issuer.sign("mine", headers={"kid": f"random-{number}"}) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda token: refusal(plugin, token), tokens)) == {Refusal.KEY}
    assert issuer.fetches == 1


def test_keys_at_hand_count_while_the_issuer_is_down(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make(keys_fresh_s=0.001, keys_kept_s=600, fetch_every_s=0.001)
    token = SecretStr(issuer.sign())
    plugin.verify(token)
    issuer.server.script[KEYS] = Reply(503)
    assert plugin.verify(token).subject == "ann"
    assert refusal(plugin, issuer.sign(aud="other")) is Refusal.AUDIENCE
    with pytest.raises(IdentityUnavailableError, match="503"):
        plugin.verify(SecretStr(issuer.sign(headers={"kid": "unknown"})))
    assert issuer.fetches > 2


def test_keys_do_not_outlive_their_time(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make(keys_fresh_s=0.001, keys_kept_s=0.001, fetch_every_s=0.001)
    token = SecretStr(issuer.sign())
    plugin.verify(token)
    issuer.server.script[KEYS] = Reply(503)
    with pytest.raises(IdentityUnavailableError):
        deque(map(plugin.verify, [token] * 1000), maxlen=0)  # the first of these come within the millisecond


def test_an_outage_is_told_and_not_asked_about_again_at_once(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make(fetch_every_s=0.3)
    issuer.server.script[DISCOVERY] = Reply(404)
    token = SecretStr(issuer.sign())
    for words in ("HTTP 404", "HTTP 404, .* ago"):
        with pytest.raises(IdentityError, match=words):
            plugin.verify(token)
    assert len(issuer.server.seen) == 1
    issuer.server.script[DISCOVERY] = Reply(body=issuer.document)

    @retry(retry=retry_if_exception_type(IdentityError), wait=wait_fixed(0.05), stop=stop_after_delay(HANG_S))
    def recovered() -> None:
        assert plugin.verify(token).subject == "ann"

    recovered()


def test_a_hiccup_is_tried_again(issuer: Issuer, plugin: OidcPlugin) -> None:
    issuer.server.script[DISCOVERY] = [Reply(503), Reply(0), Reply(body=issuer.document)]
    assert plugin.verify(SecretStr(issuer.sign())).subject == "ann"


HUGE = b'{"issuer": "' + b"x" * 2_000_000 + b'"}'


@pytest.mark.parametrize(
    ("path", "reply", "says"),
    [
        (DISCOVERY, Reply(body={"issuer": "https://other.example", "jwks_uri": "https://other.example/k"}), "equal"),
        (DISCOVERY, Reply(body={"jwks_uri": "https://other.example/k"}), "'none'"),
        (DISCOVERY, Reply(body={"issuer": ["x"]}), "'none'"),
        (DISCOVERY, Reply(body="<html><body>Sign in</body></html>"), "no JSON"),
        (DISCOVERY, Reply(body=b"[" * 100_000), "no JSON"),
        (DISCOVERY, Reply(body=b"\xff\xfe"), "no JSON"),
        (DISCOVERY, Reply(body=[]), "no JSON object"),
        (DISCOVERY, Reply(body=HUGE), "larger than"),
        (DISCOVERY, Reply(301, headers={"Location": "http://127.0.0.1:9/x"}), "redirect"),
        (DISCOVERY, Reply(401), "HTTP 401"),
        (KEYS, Reply(302, headers={"Location": "/.well-known/openid-configuration"}), "redirect"),
        (KEYS, Reply(body={"keys": {}}), "no list"),
        (KEYS, Reply(body={"keys": []}), "no key"),
        (KEYS, Reply(body={"keys": [None, 7, {"kty": "oct", "k": "AAAA"}]}), "no key"),
        (KEYS, Reply(body=HUGE), "larger than"),
    ],
)
def test_issuers_that_do_not_answer_as_one(
    issuer: Issuer, make: Callable[..., OidcPlugin], path: str, reply: Reply, says: str
) -> None:
    token = SecretStr(issuer.sign())
    issuer.server.script[path] = reply
    with pytest.raises(IdentityError, match=says) as caught:
        make().verify(token)
    assert caught.value.where.startswith(issuer.url)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "target", ["http://keys.example/k", "ftp://127.0.0.1/k", "file:///etc/passwd", "", "no url", 7]
)
def test_keys_are_taken_from_safe_places_only(issuer: Issuer, plugin: OidcPlugin, target: object) -> None:
    issuer.document["jwks_uri"] = target
    with pytest.raises(IdentityError, match="jwks_uri"):
        plugin.verify(SecretStr(issuer.sign()))


def test_a_redirect_leads_nowhere(issuer: Issuer, plugin: OidcPlugin) -> None:
    with ScriptedServer({"*": Reply(body=issuer.document)}) as other:
        issuer.server.script[DISCOVERY] = Reply(302, headers={"Location": other.url})
        with pytest.raises(IdentityError, match="redirect"):
            plugin.verify(SecretStr(issuer.sign()))
        assert other.seen == []


@pytest.mark.parametrize(
    ("lead", "drop"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["nothing", "headers", "a header", "body", "endless", "chunks"],
)
def test_an_issuer_that_drips_holds_nobody(make: Callable[..., OidcPlugin], lead: bytes, drop: bytes) -> None:
    token = SecretStr("eyJhbGciOiJSUzI1NiJ9.e30.AAAA")
    with dripping(lead, drop) as url:
        plugin = make(issuer=url, timeout_s=0.2, fetch_every_s=0.01)
        began = time.monotonic()
        with pytest.raises(IdentityTimeoutError):
            plugin.verify(token)
        assert time.monotonic() - began < HANG_S
        assert _ended("oidc-keys"), "the thread that fetches ends with its time, too"


def _ended(name: str) -> bool:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(HANG_S)
    return all(thread.name != name for thread in threading.enumerate())


def test_keys_that_share_an_id_are_all_tried(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    first = issuer.sign()
    issuer.add("k2")
    issuer.private["k1"], issuer.published[1]["kid"] = issuer.private["k2"], "k1"
    plugin = make()
    for token in (first, issuer.sign()):
        assert plugin.verify(SecretStr(token)).subject == "ann"


@pytest.mark.parametrize(
    "unfit",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"alg": "RS512"},
        {"n": "not base 64 !"},
        {"n": None},
        {"e": 7},
        {"kty": "EC"},
        {"kty": "oct", "k": "AAAA"},
        {"kid": 1},
    ],
)
def test_keys_that_are_for_something_else_do_not_count(
    issuer: Issuer, plugin: OidcPlugin, unfit: dict[str, Any]
) -> None:
    token = issuer.sign()
    issuer.published[0].update(unfit)
    issuer.add("k2")
    assert refusal(plugin, token) is Refusal.KEY
    assert plugin.verify(SecretStr(issuer.sign("k2"))).subject == "ann"


def test_a_weak_key_does_not_count(issuer: Issuer, plugin: OidcPlugin) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused  # nosec B505 - planted
    issuer.published.append({**RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True), "kid": "weak"})
    with pytest.warns(UserWarning, match="below"):
        token = jwt.encode(issuer.claims(), weak, "RS256", {"kid": "weak"})
    assert refusal(plugin, token) is Refusal.KEY


def test_a_token_without_a_key_id_is_tried_with_every_key(issuer: Issuer, plugin: OidcPlugin) -> None:
    issuer.add("k2")
    issuer.add("k3", "EC")
    token = jwt.encode(issuer.claims(), issuer.private["k2"], "RS256")
    assert plugin.verify(SecretStr(token)).subject == "ann"


def test_a_private_part_that_is_published_changes_nothing(issuer: Issuer, plugin: OidcPlugin) -> None:
    issuer.published[0].update(RSAAlgorithm.to_jwk(issuer.private["k1"], as_dict=True), key_ops=["sign", "verify"])
    assert plugin.verify(SecretStr(issuer.sign())).subject == "ann"

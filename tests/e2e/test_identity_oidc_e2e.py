"""The identity plugin against Dex, a real OpenID Connect issuer: signing in, rotation, restart, outage.

Needs no platform: Dex is built from its pinned Go module and answers on a loopback port.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pytest
import requests
from floe_core.plugins import HealthState
from floe_core.plugins.identity import IdentityUnavailableError, Principal, Refusal, TokenRefusedError
from floe_core.testing import IdentityConformance
from floe_identity_oidc.config import OidcConfig
from floe_identity_oidc.plugin import OidcPlugin
from floe_ops import toolchain
from pydantic import SecretStr
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.duckdb

CLIENT, OTHER = "floe", "another-client"
USER = "ann@example.org"
END_S = 20.0
LONG_MS = 600_000


class Dex:
    """A running Dex with two clients and one user.

    Attributes:
        issuer: Its URL.
    """

    def __init__(self, program: Path, log: Path, listen: str = "127.0.0.1:0") -> None:
        self._secret, self._password = secrets.token_hex(16), secrets.token_hex(16)
        settings = {
            "listen": listen,
            "tokensMs": LONG_MS,
            "clients": [{"id": one, "secret": self._secret} for one in (CLIENT, OTHER)],
            "users": [{"email": USER, "name": "ann", "id": "user-1", "password": self._password}],
        }
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.issuer = self._say(json.dumps(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def listen(self) -> str:
        return self.issuer.removeprefix("http://").partition("/")[0]

    def rotate(self, lifetime_ms: int = LONG_MS) -> None:
        """Make a new signing key, and tokens that live so long; the public part of the old key stays published."""
        assert self._say(str(lifetime_ms)) == str(lifetime_ms)

    def sign_in(self, client: str = CLIENT) -> str:
        """An ID token by the password grant."""
        form = {"grant_type": "password", "username": USER, "password": self._password, "scope": SCOPE}
        answer = requests.post(f"{self.issuer}/token", data=form, auth=(client, self._secret), timeout=END_S)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id_token"])

    def stop(self) -> None:
        """End it; it ends with its input."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
            self._log.close()

    def _say(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


SCOPE = "openid email profile groups federated:id"


@pytest.fixture(scope="module")
def program() -> Path:
    return toolchain.ensure("dex")


@pytest.fixture(scope="module")
def dex(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dex]:
    with Dex(program, tmp_path_factory.mktemp("dex") / "dex.log") as running:
        yield running


def plugin_of(dex: Dex, **config: Any) -> OidcPlugin:
    wanted = {"issuer": dex.issuer, "audience": [CLIENT], "roles_claim": "federated_claims.connector_id", **config}
    return OidcPlugin(OidcConfig.model_validate(wanted))


def refusal(plugin: OidcPlugin, token: str) -> Refusal:
    with pytest.raises(TokenRefusedError) as caught:
        plugin.verify(SecretStr(token))
    return caught.value.reason


@pytest.mark.requirement("WU6-X1")
class TestConformance(IdentityConformance):
    """The contract, with tokens that Dex signed."""

    @pytest.fixture
    def plugin(self, dex: Dex) -> OidcPlugin:
        return plugin_of(dex, leeway_s=0)

    @pytest.fixture
    def token(self, dex: Dex) -> str:
        return dex.sign_in()

    @pytest.fixture
    def foreign(self, dex: Dex) -> str:
        return dex.sign_in(OTHER)

    @pytest.fixture
    def expired(self, dex: Dex) -> str:
        dex.rotate(lifetime_ms=1)
        token = dex.sign_in()
        dex.rotate()
        return token

    @pytest.fixture
    def unreachable(self, program: Path, tmp_path: Path) -> OidcPlugin:
        with Dex(program, tmp_path / "dex.log") as gone:
            return plugin_of(gone)


@pytest.mark.requirement("WU6-X1")
def test_signing_in_gives_a_principal(dex: Dex) -> None:
    began = datetime.now(UTC)
    plugin = plugin_of(dex)
    who = plugin.verify(SecretStr(dex.sign_in()))
    assert isinstance(who, Principal)
    assert (who.issuer, who.roles) == (dex.issuer, frozenset({"local"}))
    assert timedelta(seconds=590) < who.expires_at - began < timedelta(seconds=600 + END_S)
    assert plugin.health_check(END_S).state is HealthState.HEALTHY
    assert plugin_of(dex, roles_claim="name").verify(SecretStr(dex.sign_in())).roles == {"ann"}


@pytest.mark.requirement("WU6-X1")
def test_claims_cannot_be_changed_and_algorithms_not_swapped(dex: Dex) -> None:
    plugin, token = plugin_of(dex), dex.sign_in()
    plugin.verify(SecretStr(token))
    header, payload, signature = token.split(".")
    claims = {"iss": dex.issuer, "sub": "root", "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 60}
    forged = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    unsigned = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert refusal(plugin, f"{header}.{forged}.{signature}") is Refusal.SIGNATURE
    assert refusal(plugin, f"{header}.{payload}.{signature[-5::-1]}{signature[-4:]}") is Refusal.SIGNATURE
    assert refusal(plugin, f"{unsigned}.{payload}.") is Refusal.ALGORITHM


@pytest.mark.requirement("WU6-X1")
def test_tokens_for_others_and_of_others_are_refused(dex: Dex, program: Path, tmp_path: Path) -> None:
    plugin = plugin_of(dex)
    assert refusal(plugin, dex.sign_in(OTHER)) is Refusal.AUDIENCE
    assert plugin_of(dex, audience=[CLIENT, OTHER]).verify(SecretStr(dex.sign_in(OTHER))).subject
    with Dex(program, tmp_path / "dex.log") as stranger:
        assert refusal(plugin, stranger.sign_in()) is Refusal.KEY


@pytest.mark.requirement("WU6-X1")
def test_an_expired_token_is_refused_within_and_beyond_the_leeway(dex: Dex) -> None:
    dex.rotate(lifetime_ms=1)
    token = dex.sign_in()
    dex.rotate()
    assert refusal(plugin_of(dex, leeway_s=0), token) is Refusal.EXPIRED
    assert plugin_of(dex, leeway_s=60).verify(SecretStr(token)).subject


@pytest.mark.requirement("WU6-X1")
def test_rotated_keys_are_followed(dex: Dex) -> None:
    plugin = plugin_of(dex, fetch_every_s=0.001)
    old = dex.sign_in()
    before = plugin.verify(SecretStr(old))
    dex.rotate()
    new = dex.sign_in()
    assert new.split(".")[0] != old.split(".")[0], "another key signs"
    assert plugin.verify(SecretStr(new)).subject == before.subject
    assert plugin.verify(SecretStr(old)) == before, "Dex still publishes the old key"


@pytest.mark.requirement("WU6-X1")
def test_an_outage_is_lived_through_and_lost_keys_stop_counting(program: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = Dex(program, tmp_path / "dex.log")
        stack.callback(first.stop)
        plugin = plugin_of(first, keys_fresh_s=0.001, fetch_every_s=0.001)
        token = first.sign_in()
        plugin.verify(SecretStr(token))
        stack.pop_all().close()
        assert plugin.verify(SecretStr(token)).subject, "the keys at hand count while Dex is down"
        assert plugin.health_check(END_S).state is HealthState.DEGRADED
        with pytest.raises(IdentityUnavailableError, match="connection refused"):
            plugin_of(first).verify(SecretStr(token))
    # Its memory is gone and with it the key; the address is the same.
    with Dex(program, tmp_path / "dex.log", first.listen) as second:
        assert second.issuer == first.issuer
        assert _after_a_while(plugin, token) is Refusal.KEY
        assert plugin.verify(SecretStr(second.sign_in())).subject


@retry(retry=retry_if_result(lambda found: found is None), wait=wait_fixed(0.05), stop=stop_after_delay(END_S))
def _after_a_while(plugin: OidcPlugin, token: str) -> Refusal | None:
    """Why `token` is refused once the keys at hand are no longer fresh."""
    try:
        plugin.verify(SecretStr(token))
    except TokenRefusedError as refused:
        return refused.reason
    return None

"""The identity plugin `oidc`, held to the contract, and to an issuer over HTTP."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import ExitCode
from floe_core.plugins import HealthState
from floe_core.plugins.identity import IdentityError, IdentityTimeoutError, IdentityUnavailableError
from floe_core.spec import SecretUnavailableError
from floe_core.testing import IdentityConformance
from floe_identity_oidc.config import OidcConfig
from floe_identity_oidc.plugin import OidcPlugin
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from polaris_standin.scripted import Reply
from pydantic import SecretStr, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Issuer


@pytest.fixture
def silent() -> str:
    """A URL where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


class TestConformance(IdentityConformance):
    @pytest.fixture
    def token(self, issuer: Issuer) -> str:
        return str(issuer.sign())

    @pytest.fixture
    def expired(self, issuer: Issuer) -> str:
        return str(issuer.sign(exp=int(time.time()) - 5))

    @pytest.fixture
    def foreign(self, issuer: Issuer) -> str:
        return str(issuer.sign(aud="somebody-else"))

    @pytest.fixture
    def unreachable(self, make: Callable[..., OidcPlugin], silent: str) -> OidcPlugin:
        return make(issuer=silent)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"issuer": "http://issuer.example"}, "https"),
        ({"issuer": "https://issuer.example?tenant=1"}, "query"),
        ({"issuer": "https://ann:pw@issuer.example"}, "password"),
        ({"issuer": "https://issuer.example/ x"}, "blanks"),
        ({"issuer": "https://"}, "host"),
        ({"issuer": "https://issuer.example:99999"}, "[Pp]ort"),
        ({"issuer": "ftp://issuer.example"}, "http"),
        ({"audience": []}, "audience"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"keys_fresh_s": 100, "keys_kept_s": 10}, "keys_kept_s"),
        ({"keys_fresh_s": 1, "fetch_every_s": 10}, "fetch_every_s"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_settings_that_prove_nothing_are_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        OidcConfig.model_validate({"issuer": "https://issuer.example", "audience": ["floe"], **config})


def test_the_issuer_may_be_a_reference(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = OidcPlugin(OidcConfig.model_validate({"issuer": {"env": "SOME_ISSUER"}, "audience": ["floe"]}))
    with pytest.raises(SecretUnavailableError, match="SOME_ISSUER"):
        plugin.verify(SecretStr("x"))
    monkeypatch.setenv("SOME_ISSUER", "http://issuer.example")
    with pytest.raises(IdentityError, match="https") as caught:
        plugin.verify(SecretStr("x"))
    assert caught.value.where == "env:SOME_ISSUER"
    monkeypatch.setenv("SOME_ISSUER", issuer.url)
    assert plugin.verify(SecretStr(issuer.sign())).subject == "ann"


def test_health_tells_how_the_issuer_does(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    plugin = make()
    answer = plugin.health_check(5.0)
    assert (answer.state, answer.details) == (HealthState.HEALTHY, {"keys": "1"})
    issuer.server.script["GET /keys"] = Reply(500)
    answer = plugin.health_check(5.0)
    assert answer.state is HealthState.DEGRADED
    assert "HTTP 500" in answer.message
    assert "keys at hand hold" in answer.message
    assert make().health_check(5.0).state is HealthState.UNHEALTHY


def test_a_slow_issuer_bounds_health_too(issuer: Issuer, make: Callable[..., OidcPlugin]) -> None:
    issuer.server.script["GET /keys"] = Reply(wait_s=30)
    began = time.monotonic()
    assert make(timeout_s=20).health_check(0.2).state is HealthState.UNHEALTHY
    assert time.monotonic() - began < 10


def test_errors_have_their_exit_codes(
    issuer: Issuer, make: Callable[..., OidcPlugin], plugin: OidcPlugin, silent: str
) -> None:
    token = SecretStr(issuer.sign())
    with pytest.raises(IdentityUnavailableError, match="connection refused") as gone:
        make(issuer=silent).verify(token)
    assert gone.value.exit_code is ExitCode.MISSING
    issuer.server.script["GET /keys"] = Reply(wait_s=30)
    with pytest.raises(IdentityTimeoutError) as slow:
        make(timeout_s=0.2).verify(token)
    assert slow.value.exit_code is ExitCode.TIMEOUT
    issuer.server.script["GET /keys"] = Reply(404)
    with pytest.raises(IdentityError, match="HTTP 404") as wrong:
        plugin.verify(token)
    assert wrong.value.exit_code is ExitCode.WRONG


def test_a_verification_is_a_span_without_the_token(
    issuer: Issuer, plugin: OidcPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    good, foreign = issuer.sign(), issuer.sign(aud="other")
    plugin.verify(SecretStr(good))
    with pytest.raises(Exception, match="audience"):
        plugin.verify(SecretStr(foreign))
    passed, refused = exporter.get_finished_spans()
    assert passed.name == refused.name == "identity verify"
    assert dict(passed.attributes or {}) == {"identity.issuer": issuer.url, "identity.roles": 1}
    assert (refused.attributes or {})["identity.refusal"] == "audience"
    shown = passed.to_json() + refused.to_json()
    assert not any(part in shown for part in [*good.split("."), *foreign.split(".")])

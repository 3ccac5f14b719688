"""Tokens that prove nothing, each refused for its own reason; and those that pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from floe_core.plugins.identity import IdentityError, Principal, Refusal, TokenRefusedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_identity_oidc.plugin import OidcPlugin

    from tests.conftest import Issuer


@dataclass(frozen=True)
class FromNow:
    """A moment so many seconds after the test's own begin: one made at import is old when the session was long."""

    seconds: int
    form: type[int | str] = int


def dated(changes: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    return {
        name: value.form(now + value.seconds) if isinstance(value, FromNow) else value
        for name, value in changes.items()
    }


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def reason(plugin: OidcPlugin, token: str) -> Refusal:
    with pytest.raises(TokenRefusedError) as caught:
        plugin.verify(SecretStr(token))
    assert caught.value.why
    assert token not in f"{caught.value} {caught.value!r}" or not token
    return caught.value.reason


@pytest.mark.parametrize(("kind", "algorithm"), [("RSA", "RS256"), ("RSA", "PS256"), ("EC", "ES256"), ("OKP", "EdDSA")])
def test_good_tokens_pass(issuer: Issuer, plugin: OidcPlugin, kind: str, algorithm: str) -> None:
    issuer.add("k2", kind)
    exp = int(time.time()) + 60
    who = plugin.verify(SecretStr(issuer.sign("k2", algorithm, exp=exp, aud=["other", "floe"])))
    assert who == Principal("ann", issuer.url, frozenset({"data"}), datetime.fromtimestamp(exp, UTC))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": FromNow(-5)}, Refusal.EXPIRED),
        ({"exp": None}, Refusal.CLAIM),
        ({"exp": True}, Refusal.EXPIRED),
        ({"exp": FromNow(600, str)}, Refusal.CLAIM),
        ({"exp": 10**30}, Refusal.CLAIM),
        ({"exp": float("inf")}, Refusal.MALFORMED),
        ({"exp": "soon"}, Refusal.MALFORMED),
        ({"nbf": FromNow(600)}, Refusal.NOT_YET),
        ({"iat": FromNow(600)}, Refusal.NOT_YET),
        ({"iat": None}, Refusal.CLAIM),
        ({"iat": FromNow(0, str)}, Refusal.CLAIM),
        ({"aud": "other"}, Refusal.AUDIENCE),
        ({"aud": []}, Refusal.CLAIM),
        ({"aud": None}, Refusal.CLAIM),
        ({"aud": {"floe": 1}}, Refusal.AUDIENCE),
        ({"iss": "https://issuer.example"}, Refusal.ISSUER),
        ({"iss": None}, Refusal.CLAIM),
        ({"sub": None}, Refusal.CLAIM),
        ({"sub": ""}, Refusal.CLAIM),
        ({"groups": {"data": True}}, Refusal.CLAIM),
        ({"groups": ["data", 7]}, Refusal.CLAIM),
    ],
)
def test_claims_that_do_not_hold(issuer: Issuer, plugin: OidcPlugin, changes: dict[str, Any], why: Refusal) -> None:
    assert reason(plugin, issuer.sign(**dated(changes))) is why


@pytest.mark.parametrize(
    ("config", "changes", "why"),
    [
        ({"max_age_s": 60}, {"iat": FromNow(-600)}, Refusal.TOO_OLD),
        ({"authorized_parties": ["cli"]}, {"azp": "web"}, Refusal.CLIENT),
        ({"authorized_parties": ["cli"]}, {}, Refusal.CLIENT),
        ({"required_claims": ["email"]}, {}, Refusal.CLAIM),
        ({"required_claims": ["realm.id"]}, {"realm": {"id": ""}}, Refusal.CLAIM),
        ({"max_token_bytes": 300}, {"more": "x" * 300}, Refusal.TOO_LARGE),
    ],
)
def test_what_a_platform_asks_beyond(
    issuer: Issuer, make: Callable[..., OidcPlugin], config: dict[str, Any], changes: dict[str, Any], why: Refusal
) -> None:
    assert reason(make(**config), issuer.sign(**dated(changes))) is why


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ({"max_age_s": 60}, {"iat": FromNow(-50)}),
        ({"authorized_parties": ["cli"]}, {"azp": "cli"}),
        ({"authorized_parties": ["cli"]}, {"client_id": "cli"}),
        ({"required_claims": ["realm.id"]}, {"realm": {"id": 0}}),
        ({"leeway_s": 30}, {"exp": FromNow(-5)}),
        ({"leeway_s": 30}, {"nbf": FromNow(20), "iat": FromNow(20)}),
    ],
)
def test_what_a_platform_asks_can_be_met(
    issuer: Issuer, make: Callable[..., OidcPlugin], config: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert make(**config).verify(SecretStr(issuer.sign(**dated(changes)))).subject == "ann"


@pytest.mark.parametrize(
    ("header", "require", "passes"),
    [
        ("JWT", True, True),
        ("at+jwt", True, True),
        ("application/at+JWT", True, True),
        (None, False, True),
        (None, True, False),
        ("logout+jwt", False, False),
        (7, False, False),
    ],
)
def test_the_type_of_a_token(
    issuer: Issuer, make: Callable[..., OidcPlugin], header: object, require: bool, passes: bool
) -> None:
    plugin = make(require_type=require)
    # Signed by hand: the library puts a type of its own where there is none.
    signing = (
        f"{encoded({'alg': 'RS256', 'kid': 'k1'} | ({'typ': header} if header else {}))}.{encoded(issuer.claims())}"
    )
    algorithm = jwt.get_algorithm_by_name("RS256")
    token = f"{signing}.{encoded(algorithm.sign(signing.encode(), issuer.private['k1']))}"
    if passes:
        assert plugin.verify(SecretStr(token)).subject == "ann"
    else:
        assert reason(plugin, token) is Refusal.TYPE


def test_the_published_key_is_no_shared_secret(issuer: Issuer, plugin: OidcPlugin) -> None:
    public = issuer.private["k1"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signing = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{encoded(issuer.claims())}"
    digest = hmac.new(pem, signing.encode(), hashlib.sha256).digest()
    assert reason(plugin, f"{signing}.{encoded(digest)}") is Refusal.ALGORITHM


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["RS256"], "HS512", "RS1"])
def test_no_signature_is_no_proof(issuer: Issuer, plugin: OidcPlugin, algorithm: object) -> None:
    token = f"{encoded({'alg': algorithm, 'kid': 'k1'})}.{encoded(issuer.claims())}."
    assert reason(plugin, token) is Refusal.ALGORITHM
    assert issuer.fetches == 0


def test_keys_that_come_with_the_token_do_not_count(issuer: Issuer, plugin: OidcPlugin) -> None:
    mine = issuer.add("mine")
    issuer.published.remove(mine)
    more = {"jwk": mine, "jku": f"{issuer.url}/mine", "x5u": f"{issuer.url}/mine"}
    for kid in ("k1", "mine"):
        token = jwt.encode(issuer.claims(), issuer.private["mine"], "RS256", {"kid": kid, **more})
        assert reason(plugin, token) is (Refusal.SIGNATURE if kid == "k1" else Refusal.KEY)
    assert issuer.server.count("GET", "/mine") == 0


def test_a_token_signed_with_another_algorithm_than_its_key_is_for(issuer: Issuer, plugin: OidcPlugin) -> None:
    issuer.published[0]["alg"] = "RS256"
    assert plugin.verify(SecretStr(issuer.sign())).subject == "ann"
    assert reason(plugin, issuer.sign(algorithm="PS256")) is Refusal.KEY


@pytest.mark.parametrize(
    "token",
    [
        "a.b",
        f"{encoded({'alg': 'RS256'})}.{encoded({})}",
        f"{encoded([])}.{encoded({})}.",
        f"{encoded(b'[' * 9000)}.{encoded({})}.",
        f"{encoded({'alg': 'RS256', 'kid': 7})}.{encoded({})}.AAAA",
        f"{encoded({'alg': 'RS256', 'crit': ['exp'], 'exp': 1})}.{encoded({})}.AAAA",
        f"{encoded({'alg': 'RS256', 'b64': False, 'crit': ['b64']})}.{encoded({})}.AAAA",
    ],
)
def test_what_is_no_token(plugin: OidcPlugin, token: str) -> None:
    assert reason(plugin, token) is Refusal.MALFORMED


def test_a_signed_payload_that_is_no_object(issuer: Issuer, plugin: OidcPlugin) -> None:
    for payload in (b"[]", b"[" * 9000, b"{", b'"x"', b"\xff"):
        token = jwt.api_jws.encode(payload, issuer.private["k1"], "RS256", {"kid": "k1"})
        assert reason(plugin, token) is Refusal.MALFORMED


FIELDS = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.integers(),
    st.lists(st.text(max_size=3), max_size=2),
    st.sampled_from(["RS256", "k1", "JWT"]),
)
PARTS = st.one_of(
    st.binary(max_size=40).map(encoded),
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), FIELDS).map(encoded),
    st.text(max_size=20),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=200), st.lists(PARTS, max_size=4).map(".".join)))
def test_any_text_is_refused(plugin: OidcPlugin, text: str) -> None:
    with pytest.raises(TokenRefusedError):
        plugin.verify(SecretStr(text))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "groups", "azp"]), VALUES)
)
def test_any_signed_claims_are_judged(issuer: Issuer, plugin: OidcPlugin, changes: dict[str, Any]) -> None:
    token = jwt.api_jws.encode(
        json.dumps({**issuer.claims(), **changes}).encode(), issuer.private["k1"], "RS256", {"kid": "k1"}
    )
    try:
        who = plugin.verify(SecretStr(token))
    except TokenRefusedError:
        return
    except IdentityError as error:
        pytest.fail(f"the issuer is well: {error}")
    assert who.subject
    assert who.issuer == issuer.url

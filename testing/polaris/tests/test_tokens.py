from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from polaris_standin.tokens import Tokens


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens(60)


def _issue(tokens: Tokens) -> str:
    return tokens.issue(name="p", client_id="c", principal_id=7, scope="PRINCIPAL_ROLE:ALL")


def test_claims_come_back(tokens: Tokens) -> None:
    claims = tokens.read(_issue(tokens))
    assert claims is not None
    assert (claims["sub"], claims["principalId"], claims["exp"] - claims["iat"]) == ("p", 7, 60)


def test_no_two_tokens_are_equal(tokens: Tokens) -> None:
    assert _issue(tokens) != _issue(tokens)


def test_tokens_of_another_process_garbage_and_unsigned_ones_are_nothing(tokens: Tokens) -> None:
    claims = {"principalId": 1, "scope": "PRINCIPAL_ROLE:ALL", "exp": int(time.time()) + 60}
    unsigned = jwt.encode(claims, key="", algorithm="none")
    for token in (_issue(Tokens(60)), "garbage", "", unsigned):
        assert tokens.read(token) is None


def test_a_changed_claim_breaks_the_signature(tokens: Tokens) -> None:
    head, claims, signature = _issue(tokens).split(".")
    changed = json.loads(base64.urlsafe_b64decode(f"{claims}==")) | {"principalId": 1}
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    assert tokens.read(f"{head}.{forged}.{signature}") is None


def test_an_expired_token_is_nothing(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    past = time.time() - 61
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: past)
        token = _issue(tokens)
    assert tokens.read(token) is None

from __future__ import annotations

import hashlib
import hmac

import pytest
from floe_alert_webhook.signature import SignatureError, sign, verify
from hypothesis import given
from hypothesis import strategies as st

BODY, SECRET, AT = b'{"title":"x"}', "s3cret", 1_795_437_026


def test_the_signature_is_the_documented_hmac() -> None:
    expected = hmac.new(b"s3cret", b'1795437026.{"title":"x"}', hashlib.sha256).hexdigest()
    assert sign(SECRET, BODY, AT) == f"t=1795437026,v1={expected}"


@pytest.mark.parametrize("drift", [-300, 0, 300])
def test_a_fresh_request_is_accepted(drift: int) -> None:
    verify(SECRET, BODY, sign(SECRET, BODY, AT), now=AT + drift)


@pytest.mark.parametrize("drift", [-301, 301, 86_400])
def test_a_recorded_request_is_refused(drift: int) -> None:
    with pytest.raises(SignatureError, match="300 s"):
        verify(SECRET, BODY, sign(SECRET, BODY, AT), now=AT + drift)


@pytest.mark.parametrize(
    ("body", "secret", "header"),
    [
        (BODY + b" ", SECRET, sign(SECRET, BODY, AT)),
        (BODY, "other", sign(SECRET, BODY, AT)),
        (BODY, SECRET, sign(SECRET, BODY, AT).replace(str(AT), str(AT + 1))),
        (BODY, SECRET, ""),
        (BODY, SECRET, f"t={AT}"),
        (BODY, SECRET, f"v1={'a' * 64}"),
        (BODY, SECRET, f"t={AT},t={AT},v1={'a' * 64}"),
        (BODY, SECRET, f"t={AT},v1={'A' * 64}"),
        (BODY, SECRET, f"t={AT},v2={sign(SECRET, BODY, AT)[-64:]}"),
        (BODY, SECRET, "x" * 2000),
        (BODY, "", sign("", BODY, AT)),
    ],
)
def test_anything_else_is_refused(body: bytes, secret: str, header: str) -> None:
    with pytest.raises(SignatureError):
        verify(secret, body, header, now=AT)


def test_two_secrets_may_overlap_while_one_is_replaced() -> None:
    header = f"{sign('new', BODY, AT)},{sign(SECRET, BODY, AT).split(',')[1]}"
    verify(SECRET, BODY, header, now=AT)
    verify("new", BODY, header, now=AT)


@given(st.text(min_size=1, max_size=40).filter(str.isprintable), st.binary(max_size=80), st.integers(0, 10**11))
def test_what_is_signed_verifies(secret: str, body: bytes, at: int) -> None:
    verify(secret, body, sign(secret, body, at), now=at)


@given(st.text(max_size=120))
def test_any_header_is_refused_in_words_that_a_status_line_takes(header: str) -> None:
    with pytest.raises(SignatureError) as caught:
        verify(SECRET, BODY, header, now=AT)
    assert str(caught.value).isascii()

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest
from floe_ops.audits.canary import forms
from hypothesis import given
from hypothesis import strategies as st

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=forms.SHORTEST, max_size=60)


def found(text: bytes, secret: str) -> bool:
    return any(form.needle in text for form in forms.of({"s": secret}))


@given(secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_a_secret_is_found_in_every_form_whatever_stands_around_it(secret: str, before: bytes, after: bytes) -> None:
    around = before + secret.encode() + after
    for text in (
        around,
        base64.b64encode(around),
        base64.urlsafe_b64encode(around),
        around.hex().encode(),
        before + quote(secret, safe="").encode() + after,
        before + quote_plus(secret).encode() + after,
    ):
        assert found(text, secret)


@given(secret=SECRETS, other=st.binary(max_size=200))
def test_what_does_not_hold_it_is_not_found(secret: str, other: bytes) -> None:
    if secret.encode() not in other:
        plain = [form for form in forms.of({"s": secret}) if form.way == "plain"]
        assert not any(form.needle in other for form in plain)


@pytest.mark.parametrize("value", ["root", "", "x" * (forms.SHORTEST - 1)])
def test_a_value_that_could_stand_anywhere_is_no_canary(value: str) -> None:
    assert forms.of({"s": value}) == ()


def test_a_form_never_shows_what_it_looks_for() -> None:
    value = "0123456789abcdef"
    assert value not in repr(forms.of({"s": value}))

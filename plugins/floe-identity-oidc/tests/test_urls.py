"""Which URLs an issuer and its keys may have."""

from __future__ import annotations

from contextlib import suppress

import pytest
from floe_identity_oidc.urls import check_issuer, check_keys_url
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "url",
    ["https://issuer.example", "https://issuer.example/realms/x/", "http://localhost:5556/dex", "http://[::1]:1", "http://127.9.9.9"],
)  # fmt: skip
def test_issuers(url: str) -> None:
    assert check_issuer(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
        "http://169.254.169.254/",
        "https://issuer.example/#x",
        "https://issuer.example\n.evil.example",
        "https://ann@issuer.example",
        "issuer.example",
        "",
    ],
)
def test_no_issuers(url: str) -> None:
    with pytest.raises(ValueError, match=r"issuer|URL"):
        check_issuer(url)


@pytest.mark.parametrize(
    ("keys", "issuer", "good"),
    [
        ("https://keys.example/k", "https://issuer.example", True),
        ("http://127.0.0.1:9/k", "http://localhost:5556", True),
        ("http://127.0.0.1:9/k", "https://issuer.example", False),
        ("http://keys.example/k", "http://127.0.0.1", False),
        ("file:///etc/passwd", "http://127.0.0.1", False),
    ],
)
def test_only_an_issuer_on_this_machine_has_keys_on_it_in_plain_http(keys: str, issuer: str, *, good: bool) -> None:
    if good:
        assert check_keys_url(keys, issuer) == keys
    else:
        with pytest.raises(ValueError, match="URL"):
            check_keys_url(keys, issuer)


@given(st.one_of(st.text(), st.text().map("http://".__add__), st.text().map("https://[".__add__)))
def test_any_text_is_judged(text: str) -> None:
    with suppress(ValueError):
        assert check_issuer(text) == text

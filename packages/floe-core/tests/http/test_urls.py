"""What is a URL, and what of it may be told."""

from __future__ import annotations

import pytest
from floe_core.http.urls import is_loopback, place, split
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://hunter2", "http://"),
        ("https://", "host"),
        ("https://hunter2:99999", "port"),
        ("https://[::1", "host"),
        ("https://user:hunter2@host", "credentials"),  # nosec B105 - planted
        ("https://hunter2@host", "credentials"),
        ("https://a.example\n.hunter2.example", "blanks"),
        ("https://a.example/\u200bhunter2", "blanks"),
    ],
)
def test_what_is_no_url_is_refused_and_not_quoted(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        split(url)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("http://localhost:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:5", True),
        ("http://0.0.0.0", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.1", False),
    ],
)
def test_only_names_of_this_machine_are_loopback(url: str, *, stays: bool) -> None:
    assert is_loopback(url) is stays


def test_a_place_holds_no_credentials_and_no_path() -> None:
    assert place("https://user:hunter2@host:1/secret?a=b") == "https://host:1"  # nosec B105 - planted


@given(
    st.text(max_size=60) | st.text(max_size=30).map("http://".__add__) | st.text(max_size=9).map("https://[".__add__)
)
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        parts = split(text)
    except ValueError:
        return
    assert parts.hostname
    assert place(text).startswith(("http://", "https://"))
    assert is_loopback(text) in {True, False}

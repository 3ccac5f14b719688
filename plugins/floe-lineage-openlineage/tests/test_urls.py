from __future__ import annotations

import pytest
from floe_lineage_openlineage.urls import checked
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "https://marquez.example.com/base/", " https://[::1]:5000 "])
def test_a_base_url_is_taken(url: str) -> None:
    assert checked(url) == url.strip()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("marquez:5000", "http://"),
        ("ftp://host", "http://"),
        ("https://", "http://"),
        ("https://h:99999", "port"),
        ("https://[::1", "http://"),
        ("https://user:hunter2@host", "credentials"),  # nosec B105 - planted
        ("https://hunter2@host", "credentials"),
        ("https://host/?key=hunter2", "path"),
        ("https://host/#hunter2", "path"),
    ],
)
def test_another_one_is_refused_and_not_quoted(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        checked(url)
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        url = checked(text)
    except ValueError:
        return
    assert url.startswith(("http://", "https://"))

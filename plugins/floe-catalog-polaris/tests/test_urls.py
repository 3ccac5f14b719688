from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from floe_catalog_polaris.urls import default_management_url, is_loopback, segment, server_url
from floe_core.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st

HOSTS = st.from_regex(r"\A[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{2,5})?\Z")
PORTS = st.integers(min_value=1, max_value=65535)


@given(st.sampled_from(["http", "https"]), HOSTS, PORTS, st.sampled_from(["", "/", "/api/catalog", "/api/catalog/"]))
def test_every_way_to_write_a_server_is_one_url(scheme: str, host: str, port: int, tail: str) -> None:
    assert server_url(f" {scheme}://{host}:{port}{tail}\n") == f"{scheme}://{host}:{port}"


@given(st.text(max_size=40))
def test_any_text_is_a_url_or_a_usage_error(text: str) -> None:
    try:
        url = server_url(text)
    except UsageError as error:
        assert error.remedy  # noqa: PT017 - either outcome is right, each has its own rule
    else:
        assert urlsplit(url).hostname
        assert server_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "http://:8181",
        "127.0.0.1:8181",
        "ftp://host",
        "http://host:0",
        "http://host:99999",
        "http://host:abc",
        "http://[::1",
        "http://a b",
        "http://host/?x=1",
        "http://host/#x",
    ],
)
def test_what_names_no_server_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="FLOE_POLARIS_URL"):
        server_url(text)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    for text in ("http://user:hunter2@host:8181", "htp://user:hunter2@host"):  # nosec B105 - planted
        with pytest.raises(UsageError) as caught:
            server_url(text)
        assert "hunter2" not in str(caught.value)


def test_the_management_url_is_only_guessed_beside_8181() -> None:
    assert default_management_url("http://127.0.0.1:8181") == "http://127.0.0.1:8182"
    assert default_management_url("http://[::1]:8181") == "http://[::1]:8182"
    assert default_management_url("http://127.0.0.1:1") is None
    assert default_management_url("https://polaris.example.com") is None


def test_loopback() -> None:
    assert all(map(is_loopback, ("http://127.0.0.1:1", "http://localhost", "http://[::1]:8181")))
    assert not any(map(is_loopback, ("http://10.0.0.1", "http://localhost.example.com")))


@given(st.text(max_size=20))
def test_a_name_stays_one_segment(name: str) -> None:
    assert not set("/?#%") & set(segment(name).replace("%", ""))

"""When a server asks to be left alone."""

from __future__ import annotations

import email.utils
import time

import requests
from floe_core.http.answers import retry_after
from hypothesis import given
from hypothesis import strategies as st


def asked(value: str) -> float:
    response = requests.Response()
    response.headers["Retry-After"] = value
    return retry_after(response)


@given(st.text(max_size=20) | st.integers().map(str))
def test_any_retry_after_is_a_number_of_seconds(value: str) -> None:
    assert asked(value) >= 0


def test_seconds_and_dates_are_read() -> None:
    assert asked(" 7 ") == 7
    assert asked("soon") == 0
    assert 50 < asked(email.utils.formatdate(time.time() + 100, usegmt=True)) < 150
    assert asked(email.utils.formatdate(time.time() - 100, usegmt=True)) == 0

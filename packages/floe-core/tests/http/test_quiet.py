"""Silence is of the one who asks for it, however many others ask and end meanwhile."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from floe_core.http.quiet import quiet

LOGGER = logging.getLogger("urllib3.connectionpool")


def test_many_threads_stay_quiet_side_by_side(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def work(number: int) -> None:
        with quiet():
            LOGGER.debug("secret %d", number)
        LOGGER.debug("spoken %d", number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert "secret" not in caplog.text
    assert caplog.text.count("spoken") == 200


def test_nested_silence_ends_with_the_outer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with quiet():
        with quiet():
            pass
        LOGGER.debug("still a secret")
    assert caplog.text == ""

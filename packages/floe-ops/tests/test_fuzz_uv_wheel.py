"""Whatever an index answers before there is an environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_core.testing.receiver import Receiver, receiving, reply
from floe_ops import uv_wheel
from hypothesis import given
from hypothesis import strategies as st

FILE = "uv-0.13.9-py3-none-manylinux_2_17_x86_64.whl"
PAGES = st.sampled_from([b"<a href='http://[::1'>x</a>", b"<a href>", b"<!DOCTYPE", b"<a href='//x/%ff'>", b"<!["])


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@BOUNDED
@given(raw=inputs({"files": [{"url": f"http://127.0.0.1:1/{FILE}"}, {"url": "other"}]}) | PAGES)
def test_any_answer_of_an_index_is_read_or_refused(server: Receiver, raw: bytes) -> None:
    server.requests.clear()
    server.script = [reply(200, raw)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_DEFAULT_INDEX", server.url)
        lives_through(lambda: uv_wheel._locate(FILE), errors=uv_wheel.FetchError)

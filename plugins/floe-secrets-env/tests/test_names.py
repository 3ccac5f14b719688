from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from floe_secrets_env import names
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("name", ["a", "A1", "db-password", "team/db.key", "_x", "a" * 253, "tls.crt"])
def test_names(name: str) -> None:
    assert names.is_valid(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../a", "a/..", "a/../b", "..data", "..data/k", "a/.b", "/a", "a/", "a//b"),
        *("a\n", "a\0", "\u00e4", "a b", "a\\b", "a" * 254),
    ],
)
def test_no_names(name: str) -> None:
    assert not names.is_valid(name)


@given(st.text(alphabet="a./\\\n-_", max_size=12))
def test_a_name_never_leaves_its_folder(name: str) -> None:
    if names.is_valid(name):
        path = PurePosixPath("/folder", name)
        assert path.is_relative_to("/folder")
        assert ".." not in path.parts


def test_what_is_no_name_is_shown_short_and_printable() -> None:
    assert names.shown("\x1b[31m\u00e4" + "x" * 100) == "'\\x1b[31m\\xe4" + "x" * 34 + "...'"

from __future__ import annotations

import pytest
from floe_ops.targets.cluster.redaction import HIDDEN, Redactor


@pytest.mark.parametrize(
    "line",
    [
        "connecting with Planted-1234",
        "POLARIS_CLIENT_SECRET=Planted-1234",
        'password: "other-secret"',
        "--token=other-secret",
        '"aws_secret_access_key": "other-secret"',
    ],
)
def test_known_values_and_what_is_named_like_one_are_hidden(line: str) -> None:
    shown = Redactor(["Planted-1234"])(line)
    assert HIDDEN in shown
    assert "Planted-1234" not in shown
    assert "other-secret" not in shown


def test_other_text_stays_and_short_values_are_words_of_any_text() -> None:
    text = "root signed in from 10.0.0.1; secret of root is held in floe-polaris"
    assert Redactor(["root", ""])(text) == text


def test_the_longer_secret_goes_first() -> None:
    assert Redactor(["abcdef", "abcdefgh"])("x abcdefgh y") == f"x {HIDDEN} y"

from __future__ import annotations

import os

import pytest
from floe_core.plugins import SecretRefusedError
from floe_secrets_env.environment import Environment


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("APP_db-password", "db-password"),
        ("APP_DB_PASSWORD", "db-password"),
        ("APP_DB_PASSWORD", "db_password"),
        ("APP_DB_PASSWORD", "DB_PASSWORD"),
        ("APP_TEAM_DB_KEY_1", "team/db.key-1"),
    ],
)
def test_names_are_variables_as_written_or_as_usual(monkeypatch: pytest.MonkeyPatch, variable: str, name: str) -> None:
    monkeypatch.setenv(variable, "v")
    assert Environment("APP_", 10).value(name) == "v"
    assert Environment("OTHER_", 10).value(name) is None


def test_as_written_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("db_key", "written")
    monkeypatch.setenv("DB_KEY", "usual")
    assert Environment("", 10).value("db_key") == "written"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_K", "")
    source = Environment("APP_", 10)
    assert (source.value("k"), source.names()) == (None, set())
    assert source.missing("k") == "APP_k and APP_K: unset or empty"


def test_a_value_is_read_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Environment("", 10)
    monkeypatch.setenv("APP_K", "old")
    assert source.value("APP_K") == "old"
    monkeypatch.setenv("APP_K", "new")
    assert source.value("APP_K") == "new"


def test_only_a_prefix_tells_secrets_from_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DB_KEY", "v")
    monkeypatch.setenv("APP_", "the prefix alone is no name")
    assert Environment("APP_", 10).names() == {"DB_KEY"}
    assert Environment("", 10).names() == set()


@pytest.mark.parametrize(("value", "why"), [(b"x" * 11, "larger than 10 bytes"), (b"va\xff", "no UTF-8 text")])
def test_what_is_no_secret_is_refused(monkeypatch: pytest.MonkeyPatch, value: bytes, why: str) -> None:
    monkeypatch.setitem(os.environb, b"APP_K", value)
    with pytest.raises(SecretRefusedError, match=why) as caught:
        Environment("APP_", 10).value("k")
    assert caught.value.where == "environment variable APP_K"
    assert "va" not in str(caught.value).replace("variable", "")

from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.spec import SpecError, literals, load_product
from floe_core.spec.yamltree import parse


def found(text: str) -> list[str]:
    return [".".join(map(str, loc)) for loc, _reason in literals.find(parse(text.encode()))]


@pytest.mark.parametrize(
    "name", ["password", "clientSecret", "client_secret", "api-key", "ACCESS_TOKEN", "credentials"]
)
def test_names_that_hold_secrets(name: str) -> None:
    assert found(f"a: [{{{name}: x}}]") == [f"a.0.{name}"]
    assert found(f"a: [{{{name}: {{env: X}}}}]") == []


@pytest.mark.parametrize(("value", "secret"), [("1234", True), ("1.5", True), ("'true'", True), ("true", False)])
def test_a_number_can_be_a_secret_and_a_switch_cannot(value: str, secret: bool) -> None:
    assert bool(found(f"require_token: {value}")) is secret


@pytest.mark.parametrize(
    "name", ["token_url", "secret_name", "password_file_path", "tokens_per_minute", "secrets", "key"]
)
def test_names_that_do_not(name: str) -> None:
    assert found(f"{name}: x") == []


@pytest.mark.parametrize(
    "value",
    [
        "postgres://user:" + "pw@host/db",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "'-----BEGIN RSA " + "PRIVATE KEY-----'",
        "ghp_" + "a" * 36,
        "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abcdefghijkl",
    ],
)
def test_values_that_look_like_secrets(value: str) -> None:
    assert found(f"note: {value}") == ["note"]


@pytest.mark.parametrize(
    "value", ["https://host/path", "s3://bucket/key", "http://[::1]:80/", "postgres://{user}@host"]
)
def test_values_that_do_not(value: str) -> None:
    assert found(f"note: '{value}'") == []


@pytest.mark.parametrize(
    "value",
    [
        "pypi-AgE" + "a" * 20,
        "xoxb-" + "1" * 12,
        "https://hooks.slack.com/services/T000/B000/" + "x" * 10,
        "sk_live_" + "a" * 16,
        "Server=db;Pwd=x",
        "AccountKey = abc",
    ],
)
def test_more_values_that_look_like_secrets(value: str) -> None:
    assert found(f"note: '{value}'") == ["note"]


@pytest.mark.parametrize(
    "value", ["password=$PASSWORD", "pwd={name}", "see /services/T/B/x", "xoxo" + "-and-more-of-it"]
)
def test_more_values_that_do_not(value: str) -> None:
    assert found(f"note: '{value}'") == []


def test_a_reference_by_name_is_no_secret_and_its_twin_is() -> None:
    assert found("auth: {secret: crm-token}") == []
    assert found("auth: {secret: crm-token, env: A}") == []
    assert found("auth: {secret: crm-token, user: me}") == ["auth.secret"]


def test_a_name_that_is_a_secret_or_endless_is_not_repeated() -> None:
    token = "ghp_" + "a" * 36
    assert literals.safe_name(token) == "…"
    assert literals.safe_name("name") == "name"
    assert len(literals.safe_name("n" * 10_000)) == literals.MAX_NAME


def test_a_name_that_is_a_secret_is_in_no_message(tmp_path: Path) -> None:
    token = "ghp_" + "a" * 36
    path = tmp_path / "floe.yaml"
    for text in (f"{token}: 1\n", f"metadata: {{{token}: {{env: X}}}}\n", f"{token}: 1\n{token}: 2\n"):
        path.write_text(text)
        with pytest.raises(SpecError) as caught:
            load_product(path)
        every = "\n".join(f"{one} {one.as_dict()}" for one in caught.value.problems)
        assert token not in every

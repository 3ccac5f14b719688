from __future__ import annotations

import pytest
from floe_core.spec import literals
from floe_core.spec.yamltree import parse


def found(text: str) -> list[str]:
    return [".".join(map(str, loc)) for loc, _reason in literals.find(parse(text.encode()))]


@pytest.mark.parametrize(
    "name", ["password", "clientSecret", "client_secret", "api-key", "ACCESS_TOKEN", "credentials"]
)
def test_names_that_hold_secrets(name: str) -> None:
    assert found(f"a: [{{{name}: x}}]") == [f"a.0.{name}"]
    assert found(f"a: [{{{name}: {{env: X}}}}]") == []


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

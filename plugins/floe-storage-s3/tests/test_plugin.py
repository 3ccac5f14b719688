"""The storage plugin `s3`, held to the contract; against a socket where nothing listens, and to PyIceberg itself."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.plugins import HealthState
from floe_core.spec import SecretUnavailableError
from floe_core.testing import StorageConformance
from floe_storage_s3.plugin import S3Config, S3StoragePlugin
from pydantic import ValidationError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    value = secrets.token_hex(16)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "some-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", value)
    return value


@pytest.fixture
def silent() -> str:
    """A URL where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def plugin_of(**config: Any) -> S3StoragePlugin:
    return S3StoragePlugin(S3Config.model_validate({"bucket": "floe-iceberg", **config}))


class TestConformance(StorageConformance):
    @pytest.fixture
    def plugin(self, silent: str, secret: str) -> S3StoragePlugin:
        del secret
        return plugin_of(endpoint=silent, prefix="warehouse")


def test_properties_are_those_that_pyiceberg_reads(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyiceberg import io

    monkeypatch.setenv("STORE_URL", "http://store.test:9000")
    made = plugin_of(endpoint={"env": "STORE_URL"}, region="eu-central-1").fileio_properties()
    assert made == {
        io.S3_ENDPOINT: "http://store.test:9000",
        io.S3_REGION: "eu-central-1",
        io.S3_ACCESS_KEY_ID: "some-id",
        io.S3_SECRET_ACCESS_KEY: secret,
        io.S3_FORCE_VIRTUAL_ADDRESSING: "false",
    }


def test_without_keys_the_client_finds_its_own() -> None:
    made = plugin_of(access_key=None, secret_key=None).fileio_properties()
    assert made == {"s3.region": "us-east-1", "s3.force-virtual-addressing": "false"}


def test_a_secret_in_a_file_is_read_without_its_line_break(tmp_path: Path, secret: str) -> None:
    (tmp_path / "key").write_text(f"{secret}\n")
    made = plugin_of(secret_key={"file": str(tmp_path / "key")}).fileio_properties()
    assert made["s3.secret-access-key"] == secret


def test_an_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(SecretUnavailableError, match="AWS_ACCESS_KEY_ID"):
        plugin_of().fileio_properties()


@pytest.mark.parametrize(
    "config",
    [
        {"bucket": "Upper"},
        {"bucket": "floe-iceberg", "access_key": None},
        {"bucket": "floe-iceberg", "secret_key": "a-literal-value"},  # nosec B105 - planted
        {"bucket": "floe-iceberg", "prefix": "/rooted/"},
        {},
    ],
)
def test_settings_that_cannot_work_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        S3Config.model_validate(config)
    assert "a-literal-value" not in str(caught.value)


def test_health_says_when_nothing_answers(silent: str, secret: str) -> None:
    del secret
    answer = plugin_of(endpoint=silent).health_check(1.0)
    assert answer.state is HealthState.UNHEALTHY
    assert "does not answer" in answer.message

"""The secrets plugin `env`, held to the contract on the real environment and on a real folder."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import HealthState, SecretNameError, SecretNotFoundError, SecretRefusedError
from floe_core.testing import SecretsConformance
from floe_secrets_env.plugin import EnvSecretsConfig, EnvSecretsPlugin
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

PREFIX = "FLOE_TEST_SECRET_"
PLANTED = {"db-password": "correct horse", "team/api.token": "battery\nstaple"}


def plugin_of(**config: Any) -> EnvSecretsPlugin:
    return EnvSecretsPlugin(EnvSecretsConfig.model_validate(config))


@pytest.fixture
def planted() -> Mapping[str, str]:
    return PLANTED


class TestInTheEnvironment(SecretsConformance):
    @pytest.fixture
    def put(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
        usual = str.maketrans("-./", "___")
        return lambda name, value: monkeypatch.setenv(PREFIX + name.translate(usual).upper(), value)

    @pytest.fixture
    def plugin(self, put: Callable[[str, str], None]) -> EnvSecretsPlugin:
        for name, value in PLANTED.items():
            put(name, value)
        return plugin_of(prefix=PREFIX)


class TestInAMount(SecretsConformance):
    @pytest.fixture
    def put(self, mount: Any) -> Callable[[str, str], None]:
        held = {name: value.encode() + b"\n" for name, value in PLANTED.items()}

        def change(name: str, value: str) -> None:
            held[name] = value.encode()
            mount.publish(held)

        mount.publish(held)
        return change

    @pytest.fixture
    def plugin(self, put: Callable[[str, str], None], mount: Any) -> EnvSecretsPlugin:
        del put
        return plugin_of(directories=[str(mount.path)])

    def test_all_of_them_are_listed(self, plugin: EnvSecretsPlugin) -> None:
        assert plugin.names() == tuple(sorted(PLANTED))


@pytest.mark.parametrize(("order", "value"), [(["environment", "files"], "env"), (["files", "environment"], "file")])
def test_the_first_place_that_has_it_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: list[str], value: str
) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir(mode=0o700)
        (tmp_path / folder / "other").write_text(folder)
    (tmp_path / "second" / "key").write_text("file")
    monkeypatch.setenv(f"{PREFIX}KEY", "env")
    folders = [str(tmp_path / folder) for folder in ("first", "second")]
    plugin = plugin_of(prefix=PREFIX, directories=folders, order=order)
    assert plugin.get("key").get_secret_value() == value
    assert plugin.get("other").get_secret_value() == "first"
    assert plugin.names() == ("KEY", "key", "other")


def test_a_place_that_is_not_in_the_order_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}KEY", "env")
    with pytest.raises(SecretNotFoundError, match="no folder is configured"):
        plugin_of(prefix=PREFIX, order=["files"]).get("key")


def test_a_value_that_must_not_be_used_ends_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("open to all")
    (tmp_path / "key").chmod(0o666)
    tmp_path.chmod(0o755)
    monkeypatch.setenv(f"{PREFIX}KEY", "env")
    with pytest.raises(SecretRefusedError):
        plugin_of(prefix=PREFIX, directories=[str(tmp_path)], order=["files", "environment"]).get("key")


def test_an_unknown_name_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SecretNotFoundError) as caught:
        plugin_of(prefix=PREFIX, directories=[str(tmp_path), str(tmp_path / "gone")]).get("a-key")
    for told in (f"{PREFIX}A_KEY", f"{tmp_path}: no file a-key", f"{tmp_path / 'gone'}: the folder is not there"):
        assert told in caught.value.why


@pytest.mark.parametrize("name", ["../planted", "..data/key", "/etc/passwd", "a/../../planted", "a\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "planted").write_text("v")
    (tmp_path / "a").mkdir()
    with pytest.raises(SecretNameError, match="cannot be the name of a secret"):
        plugin_of(directories=[str(tmp_path / "a")]).get(name)


@pytest.mark.parametrize(
    "config",
    [
        {"prefix": "1X"},
        {"prefix": "A-B"},
        {"directories": ["run/secrets"]},
        {"directories": ["/run/../etc"]},
        {"directories": ["/run\0"]},
        {"order": []},
        {"order": ["files", "files"]},
        {"order": ["vault"]},
        {"max_bytes": 0},
        {"max_bytes": 2_000_000},
        {"allow_world_readable": "yes"},
    ],
)
def test_settings_that_cannot_work_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EnvSecretsConfig.model_validate(config)


def test_health_says_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("v")
    well = plugin_of(directories=[str(tmp_path)]).health_check(1)
    assert (well.state, well.details) == (HealthState.HEALTHY, {"names": "1"})
    ill = plugin_of(directories=[str(tmp_path / "gone")]).health_check(1)
    assert (ill.state, ill.message) == (HealthState.UNHEALTHY, f"not there: {tmp_path / 'gone'}")
    (tmp_path / "..data").symlink_to("..gone")
    broken = plugin_of(directories=[str(tmp_path)]).health_check(1)
    assert (broken.state, "leads nowhere" in broken.message) == (HealthState.UNHEALTHY, True)


def test_nothing_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "key").write_text("a-planted-value")
    (tmp_path / "key").chmod(stat.S_IRUSR)
    plugin = plugin_of(directories=[str(tmp_path)])
    assert plugin.get("key").get_secret_value() == "a-planted-value"
    assert "a-planted-value" not in caplog.text


@given(name=st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,20}", fullmatch=True))
def test_any_name_gives_a_value_or_one_of_its_errors(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    plugin = plugin_of(prefix="FLOE_NOT_SET_", directories=[str(tmp_path_factory.getbasetemp())])
    assert not any(key.startswith("FLOE_NOT_SET_") for key in os.environ)
    with pytest.raises((SecretNameError, SecretNotFoundError, SecretRefusedError)):
        plugin.get(name)

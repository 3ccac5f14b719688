from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from floe_core.errors import ExitCode
from floe_core.spec.secrets import SecretRef, SecretUnavailableError, Setting, resolved
from pydantic import BaseModel, ValidationError


@pytest.mark.parametrize(
    "value",
    ["plain-value", 12, {}, {"env": "A", "file": "b"}, {"env": "A B"}, {"env": "A\n"}, {"file": ""}, {"vault": "x"}],
)
def test_what_is_no_reference_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        SecretRef.model_validate(value)
    assert "plain-value" not in str(caught.value)


def test_a_variable_is_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = SecretRef(env="SOME_SECRET")
    value = secrets.token_hex()
    monkeypatch.setenv("SOME_SECRET", value)
    assert reference.resolve().get_secret_value() == value
    assert value not in repr(reference.resolve())


def test_what_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_SECRET", "")
    with pytest.raises(SecretUnavailableError, match="SOME_SECRET") as caught:
        SecretRef(env="SOME_SECRET").resolve()
    assert caught.value.exit_code is ExitCode.MISSING
    with pytest.raises(SecretUnavailableError, match="no-such-file"):
        SecretRef(file=str(tmp_path / "no-such-file")).resolve()


def test_a_file_that_is_no_text_says_so_and_not_what(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"hidden\xff")
    with pytest.raises(SecretUnavailableError, match="UTF-8") as caught:
        SecretRef(file=str(path)).resolve()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * (64 * 1024 + 1)])
def test_a_file_without_a_sound_value_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(SecretUnavailableError):
        SecretRef(file=str(path)).resolve()


class Holder(BaseModel):
    where: Setting


def test_a_setting_is_a_value_or_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "there")
    assert resolved(Holder.model_validate({"where": "here"}).where) == "here"
    assert resolved(Holder.model_validate({"where": {"env": "PLACE"}}).where) == "there"

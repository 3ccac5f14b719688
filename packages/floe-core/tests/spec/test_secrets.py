from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from floe_core.errors import ExitCode
from floe_core.spec.secrets import STORE_KEY, SecretRef, SecretUnavailableError, Setting, resolved
from pydantic import BaseModel, SecretStr, ValidationError


@pytest.mark.parametrize(
    "value",
    [
        "plain-value",
        12,
        {},
        {"env": "A", "file": "b"},
        {"env": "A B"},
        {"env": "A\n"},
        {"file": ""},
        {"vault": "x"},
        {"secret": "a b"},
    ],
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


@pytest.mark.parametrize("name", ["a\0b", "~nobody-of-that-name/x", "no/such/file", "."])
def test_a_path_that_is_none_is_told(name: str) -> None:
    with pytest.raises(SecretUnavailableError) as caught:
        SecretRef(file=name).resolve()
    assert caught.value.why


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


NAMED = SecretRef.model_validate({"secret": "a"})


class Nested(BaseModel):
    plain: Setting = ""
    listed: tuple[SecretRef, ...] = ()
    inner: Holder | None = None


def store(name: str) -> SecretStr:
    """A store that knows what every name is worth."""
    return SecretStr(f"worth of {name}")


def test_a_name_is_looked_up_in_the_store_of_the_validation() -> None:
    content = {"plain": {"secret": "a"}, "listed": [{"secret": "b/c"}], "inner": {"where": {"secret": "d"}}}
    held = Nested.model_validate(content, context={STORE_KEY: store})
    assert resolved(held.plain) == "worth of a"
    assert held.listed[0].resolve().get_secret_value() == "worth of b/c"
    assert held.inner is not None
    assert resolved(held.inner.where) == "worth of d"


def test_a_reference_that_is_given_as_such_stays_as_it_was() -> None:
    """Defaults are shared by all configurations: what one compilation looks up is none of another's business."""
    shared = SecretRef.model_validate({"secret": "a"})
    held = Nested.model_validate({"plain": shared, "listed": [shared]}, context={STORE_KEY: store})
    assert [one.resolve().get_secret_value() for one in (held.plain, *held.listed) if isinstance(one, SecretRef)] == [
        "worth of a",
        "worth of a",
    ]
    with pytest.raises(SecretUnavailableError):
        shared.resolve()
    again = Nested.model_validate({"plain": held.plain}, context={STORE_KEY: lambda _: SecretStr("another")})
    assert (resolved(again.plain), resolved(held.plain)) == ("another", "worth of a")
    assert resolved(Nested.model_validate({"plain": held.plain}).plain) == "worth of a"


def test_a_name_without_a_store_names_the_plugin_type() -> None:
    for reference in (NAMED, SecretRef.model_validate({"secret": "a"}, context={"other": 1})):
        with pytest.raises(SecretUnavailableError, match=r"plugins\.secrets") as caught:
            reference.resolve()
        assert caught.value.exit_code is ExitCode.MISSING


def test_a_reference_can_be_given_a_store_later() -> None:
    reference = NAMED
    assert reference.bound_to(store).resolve().get_secret_value() == "worth of a"
    assert reference.bound_to(store) == reference
    assert {reference, reference.bound_to(store), SecretRef(env="a")} == {reference, SecretRef(env="a")}


@pytest.mark.parametrize("form", [{"env": "NAME"}, {"file": "/run/x"}, {"secret": "a-b"}])
def test_a_reference_is_dumped_and_read_back_as_it_was_written(form: dict[str, str]) -> None:
    reference = SecretRef.model_validate(form, context={STORE_KEY: store})
    assert reference.model_dump() == form
    assert json.loads(reference.model_dump_json()) == form
    assert SecretRef.model_validate(reference.model_dump()) == reference
    ((kind, name),) = form.items()
    assert str(reference) == f"{kind}:{name}"


def test_what_the_store_does_is_not_hidden() -> None:
    def closed(name: str) -> SecretStr:
        raise SecretUnavailableError(f"no secret {name}")

    with pytest.raises(SecretUnavailableError, match="no secret a"):
        NAMED.bound_to(closed).resolve()


def test_neither_store_nor_value_is_printed() -> None:
    reference = NAMED.bound_to(store)
    assert "worth" not in f"{reference} {reference!r} {reference.resolve()} {Nested(plain=reference)!r}"
    assert "store" not in repr(reference)

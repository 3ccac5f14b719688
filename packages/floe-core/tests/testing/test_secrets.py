"""The suite of secrets plugins finds each breach of the contract, and nothing in a store that keeps it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from floe_core.plugins import NoConfig, SecretNotFoundError, SecretsPlugin
from floe_core.testing import SecretsConformance
from pydantic import SecretStr

Failing = Callable[..., set[str]]
PLANTED = {"db": "correct horse", "api": "battery staple"}


class Store(SecretsPlugin[NoConfig]):
    name, version, floe_api_version = "store", "1.0.0", "1.0"

    def __init__(self, config: NoConfig) -> None:
        super().__init__(config)
        self.held = {name: SecretStr(value) for name, value in PLANTED.items()}

    def get(self, name: str) -> SecretStr:
        if name not in self.held:
            raise SecretNotFoundError(f"there is no secret {name}", remedy="plant it")
        return self.held[name]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.held))

    def put(self, name: str, value: str) -> None:
        self.held[name] = SecretStr(value)


class Default(Store):
    def get(self, name: str) -> SecretStr:
        return self.held.get(name, SecretStr("default"))


class Bare(Store):
    def get(self, name: str) -> Any:
        return super().get(name).get_secret_value()


class Mixed(Store):
    def get(self, name: str) -> SecretStr:
        super().get(name)
        return self.held["db"]


class Raises(Store):
    def get(self, name: str) -> SecretStr:
        return self.held[name]


class Keeps(Store):
    seen: dict[str, SecretStr]

    def get(self, name: str) -> SecretStr:
        self.seen = getattr(self, "seen", {})
        return self.seen.setdefault(name, super().get(name))


class Told(Store):
    def get(self, name: str) -> SecretStr:
        try:
            return super().get(name)
        except SecretNotFoundError as error:
            known = {one: value.get_secret_value() for one, value in self.held.items()}
            raise SecretNotFoundError(error.what, why=f"known: {known}", remedy="plant it") from None


class Plain(Store):
    def __init__(self, config: NoConfig) -> None:
        super().__init__(config)
        self.texts = dict(PLANTED)


class Unsorted(Store):
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.held, reverse=True))


class Invented(Store):
    def names(self) -> tuple[str, ...]:
        return (*super().names(), "zzz")


class Racing(Store):
    wanted = ""

    def get(self, name: str) -> SecretStr:
        self.wanted = name
        time.sleep(0.001)  # lets the other threads in
        return super().get(self.wanted)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Store, set()),
        (Default, {"an_unknown_name_is_told", "any_name_is_judged"}),
        (Bare, {"what_was_planted_is_found", "a_value_is_shown_nowhere"}),
        (Mixed, {"what_was_planted_is_found", "a_reference_finds_it_late", "threads_agree"}),
        (Raises, {"an_unknown_name_is_told", "any_name_is_judged"}),
        (Keeps, {"a_rotated_value_is_seen"}),
        (Told, {"a_value_is_shown_nowhere"}),
        (Plain, {"a_value_is_shown_nowhere"}),
        (Unsorted, {"names_are_told_without_values"}),
        (Invented, {"names_are_told_without_values"}),
        (Racing, {"threads_agree"}),
    ],
)
def test_each_breach_is_found(failing: Failing, kind: type[Store], found: set[str]) -> None:
    failed: set[str] = set()
    for name in (name.removeprefix("test_") for name in vars(SecretsConformance) if name.startswith("test_")):
        failed |= failing(SecretsConformance, store := kind(NoConfig()), name, planted=PLANTED, put=store.put)
    assert found <= failed
    assert bool(found) == bool(failed), failed

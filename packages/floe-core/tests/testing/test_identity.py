"""The identity suite fails where a plugin believes too much, says too much, or hangs on the wrong error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from floe_core.plugins import IdentityPlugin, NoConfig, Principal
from floe_core.plugins.identity import IdentityUnavailableError, Refusal, TokenRefusedError
from floe_core.testing import IdentityConformance
from pydantic import SecretStr

TOKEN, EXPIRED, FOREIGN = "good-0123456789-0123456789-0123456789", "expired-" + "x" * 20, "foreign-" + "y" * 20
END = datetime.now(UTC) + timedelta(hours=1)
ANN = Principal("ann", "https://issuer.example", frozenset(), END)


class Sound(IdentityPlugin[NoConfig]):
    """Knows one token by heart."""

    name, version, floe_api_version = "sound", "1.0.0", "1.0"

    def verify(self, token: SecretStr) -> Principal:
        if token.get_secret_value() != TOKEN:
            raise TokenRefusedError(Refusal.SIGNATURE, why="it is another one", where=ANN.issuer)
        return ANN


class Credulous(Sound):
    def verify(self, token: SecretStr) -> Principal:
        return ANN if token.get_secret_value() else super().verify(token)


class Talkative(Sound):
    def verify(self, token: SecretStr) -> Principal:
        try:
            return super().verify(token)
        except TokenRefusedError:
            text = token.get_secret_value()
            raise TokenRefusedError(Refusal.SIGNATURE, why=f"{text} is another one") from None


class Chained(Sound):
    def verify(self, token: SecretStr) -> Principal:
        known: dict[str, Principal] = {}
        try:
            return known[token.get_secret_value()]
        except KeyError as error:
            raise TokenRefusedError(Refusal.MALFORMED, why="it is no token") from error


class Fragile(Sound):
    def verify(self, token: SecretStr) -> Principal:
        token.get_secret_value().encode()
        return super().verify(token)


class Forgetful(Sound):
    calls = count()

    def verify(self, token: SecretStr) -> Principal:
        super().verify(token)
        return Principal(f"user-{next(self.calls)}", ANN.issuer, frozenset(), END)


class Naive(Sound):
    def verify(self, token: SecretStr) -> Principal:
        super().verify(token)
        return Principal("ann", ANN.issuer, frozenset(), END.replace(tzinfo=None))


class Silent(Sound):
    def verify(self, token: SecretStr) -> Principal:
        del token
        raise IdentityUnavailableError("the issuer cannot be reached")


SUITE = IdentityConformance()


def calls(plugin: Sound, unreachable: Sound) -> dict[str, Any]:
    return {
        "owner": lambda: SUITE.test_a_good_token_names_its_owner(plugin, TOKEN),
        "changed": lambda: SUITE.test_no_character_can_be_changed(plugin, TOKEN),
        "refused": lambda: SUITE.test_the_expired_and_the_foreign_are_refused(plugin, EXPIRED, FOREIGN),
        "any": lambda: SUITE.test_any_text_is_judged(plugin),
        "errors": lambda: SUITE.test_errors_keep_the_token(plugin, EXPIRED, FOREIGN),
        "silence": lambda: SUITE.test_silence_is_no_refusal(unreachable, TOKEN),
        "threads": lambda: SUITE.test_threads_agree(plugin, TOKEN),
    }


def test_a_sound_plugin_passes() -> None:
    for check in calls(Sound(NoConfig()), Silent(NoConfig())).values():
        check()


@pytest.mark.parametrize(
    ("wrong", "found_by"),
    [
        (Credulous, {"changed", "refused", "any", "errors"}),
        (Talkative, {"errors"}),
        (Chained, {"owner", "errors", "threads"}),
        (Fragile, {"any"}),
        (Forgetful, {"owner", "threads"}),
        (Naive, {"owner"}),
    ],
)
def test_a_wrong_plugin_is_found(wrong: type[Sound], found_by: set[str]) -> None:
    failed = set()
    for name, check in calls(wrong(NoConfig()), Silent(NoConfig())).items():
        try:
            check()
        except Exception:  # noqa: BLE001 - a suite fails by an assertion or by what the plugin raises
            failed.add(name)
    assert failed == found_by


def test_a_silent_issuer_must_not_look_like_a_refusal() -> None:
    class Refusing(Sound):
        def verify(self, token: SecretStr) -> Principal:
            del token
            raise TokenRefusedError(Refusal.KEY, why="the issuer is silent")

    with pytest.raises(TokenRefusedError):
        calls(Sound(NoConfig()), Refusing(NoConfig()))["silence"]()
    with pytest.raises(AssertionError, match="does not answer"):
        calls(Sound(NoConfig()), Sound(NoConfig()))["silence"]()

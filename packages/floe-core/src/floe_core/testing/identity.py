"""What every identity plugin promises."""

from __future__ import annotations

import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import SecretStr

from floe_core.plugins import IdentityPlugin, PluginType
from floe_core.plugins.identity import IdentityError, TokenRefusedError
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

BOUND_S = 30.0  # tells a limit from a hang
THREADS = 8
TELLING = 9  # characters of a part that does not turn up by chance
JUNK = ("", " ", ".", "..", "a.b.c", "\0", "é\N{SNOWMAN}", "\ud800", "[" * 20_000, "e30.e30.e30", "A" * 1_000_000)


class IdentityConformance(PluginConformance):
    """Fixtures: `plugin`, and of its issuer `token`, `expired` and `foreign`, which is meant for somebody else.

    All three are texts, well signed. A fourth fixture, `unreachable`, is a plugin whose issuer does not answer.
    """

    plugin_type: ClassVar[PluginType] = PluginType.IDENTITY

    def test_a_good_token_names_its_owner(self, plugin: IdentityPlugin[Any], token: str) -> None:
        """The principal is whole, still valid, and the same twice."""
        who = plugin.verify(SecretStr(token))
        expect(who.subject and who.issuer, "a principal has a subject and an issuer")
        expect(who.expires_at.tzinfo is not None, "expires_at knows its time zone")
        expect(who.expires_at > datetime.now(UTC), "a token that passes has not expired")
        expect(plugin.verify(SecretStr(token)) == who, "the same token gives the same principal")

    def test_no_character_can_be_changed(self, plugin: IdentityPlugin[Any], token: str) -> None:
        """A change in the front, the middle or near the end of a token makes it worthless."""
        for place in (5, len(token) // 4, len(token) // 2, 3 * len(token) // 4, len(token) - 10):
            other = "A" if token[place] != "A" else "B"
            with refuses(TokenRefusedError, f"a token changed at {place} of {len(token)} is refused"):
                plugin.verify(SecretStr(token[:place] + other + token[place + 1 :]))
        with refuses(TokenRefusedError, "a token cut short is refused"):
            plugin.verify(SecretStr(token[:-12]))

    def test_the_expired_and_the_foreign_are_refused(
        self, plugin: IdentityPlugin[Any], expired: str, foreign: str
    ) -> None:
        """A good signature is not enough."""
        with refuses(TokenRefusedError, "an expired token is refused"):
            plugin.verify(SecretStr(expired))
        with refuses(TokenRefusedError, "a token for somebody else is refused"):
            plugin.verify(SecretStr(foreign))

    def test_any_text_is_judged(self, plugin: IdentityPlugin[Any]) -> None:
        """What is no token at all is refused, and raises nothing else."""
        for text in JUNK:
            with refuses(TokenRefusedError, f"a text of {len(text)} characters that is no token is refused"):
                plugin.verify(SecretStr(text))

    def test_errors_keep_the_token(self, plugin: IdentityPlugin[Any], expired: str, foreign: str) -> None:
        """No refusal shows the token or a part of it, nor does the plugin."""
        for text in (expired, foreign, foreign[:-12], f"planted-{'x' * 40}"):
            shown = f"{_words(plugin, text)} {plugin!r} {vars(plugin)!r}"
            parts = [part for part in text.split(".") if len(part) >= TELLING]
            expect(not any(part in shown for part in parts), "no part of a token is in an error or a repr")

    def test_silence_is_no_refusal(self, unreachable: IdentityPlugin[Any], token: str) -> None:
        """Where the issuer does not answer, that is told as such, and soon."""
        begin = time.monotonic()
        with refuses(IdentityError, "an issuer that does not answer raises IdentityError, not a refusal"):
            unreachable.verify(SecretStr(token))
        took = time.monotonic() - begin
        expect(took < BOUND_S, f"verify ends although the issuer is silent (it took {took:.1f} s)")

    def test_threads_agree(self, plugin: IdentityPlugin[Any], token: str) -> None:
        """Verified side by side, a token gives one principal."""
        with ThreadPoolExecutor(THREADS) as pool:
            found = set(pool.map(plugin.verify, [SecretStr(token)] * THREADS * 4))
        expect(len(found) == 1, f"{THREADS} threads find one principal, not {len(found)}")


def _words(plugin: IdentityPlugin[Any], text: str) -> str:
    """Everything that the refusal of `text`, and what caused it, would print."""
    try:
        plugin.verify(SecretStr(text))
    except TokenRefusedError as error:
        said = f"{error!r} {error.args}"
        return said + "".join(traceback.format_exception(error))
    raise AssertionError("a token that is expired, foreign or cut is refused")

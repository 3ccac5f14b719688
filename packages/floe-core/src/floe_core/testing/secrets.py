"""What every secrets plugin promises."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, SecretStr

from floe_core.plugins import PluginType, SecretNotFoundError, SecretsError, SecretsPlugin
from floe_core.spec.secrets import STORE_KEY, SecretRef
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

THREADS = 8
NO_NAMES = ("", "..", "../planted", "/etc/hostname", "a\0b", "a\nb", "x" * 100_000, "\ud800", "%2e%2e", "${HOME}", "*")


class _Holder(BaseModel):
    key: SecretRef


class SecretsConformance(PluginConformance):
    """Fixtures: `plugin`; `planted`, what its store holds now, by name, two at least.

    A third fixture, `put`, is a function that takes a name and a value and changes the store behind the plugin's back.
    """

    plugin_type: ClassVar[PluginType] = PluginType.SECRETS

    def test_what_was_planted_is_found(self, plugin: SecretsPlugin[Any], planted: Mapping[str, str]) -> None:
        """Each name gives its own value, wrapped, and the same twice."""
        expect(len(planted) > 1, "the fixture plants two secrets at least, so that they can be mixed up")
        for name, value in planted.items():
            first, second = plugin.get(name), plugin.get(name)
            expect(isinstance(first, SecretStr), "a value is wrapped in SecretStr")
            expect(first.get_secret_value() == value, f"{name} has the value that was planted")
            expect(first == second, f"{name} is the same twice")

    def test_an_unknown_name_is_told(self, plugin: SecretsPlugin[Any], planted: Mapping[str, str]) -> None:
        """A name that nobody planted raises its own error, which names it and says what to do."""
        for name in (f"{next(iter(planted))}-missing", "no-such-secret"):
            try:
                plugin.get(name)
            except SecretNotFoundError as error:
                expect(name in str(error), "the error names what was looked for")
                expect(error.remedy, "the error says what to do")
            else:
                raise AssertionError(f"the unknown name {name} raises SecretNotFoundError")

    def test_any_name_is_judged(self, plugin: SecretsPlugin[Any]) -> None:
        """A name that leads elsewhere, or is none, is refused, and raises nothing else."""
        for name in NO_NAMES:
            with refuses(SecretsError, f"the name {ascii(name)[:40]} is refused by a SecretsError"):
                plugin.get(name)

    def test_names_are_told_without_values(self, plugin: SecretsPlugin[Any], planted: Mapping[str, str]) -> None:
        """The names are sorted, each can be had, and no value is among them."""
        listed = plugin.names()
        expect(listed == tuple(sorted(set(listed))), "names are a tuple, sorted, each once")
        for name in listed:
            expect(plugin.get(name).get_secret_value(), f"the listed name {name} can be had")
        expect(not set(planted.values()) & set(listed), "no value is listed")

    def test_a_rotated_value_is_seen(
        self, plugin: SecretsPlugin[Any], planted: Mapping[str, str], put: Callable[[str, str], None]
    ) -> None:
        """The next call gives the new value: nothing is kept."""
        name, *others = planted
        plugin.get(name)
        put(name, "rotated-value")
        expect(plugin.get(name).get_secret_value() == "rotated-value", "a rotated value is seen at the next call")
        for other in others:
            expect(plugin.get(other).get_secret_value() == planted[other], "the others are as they were")

    def test_a_value_is_shown_nowhere(self, plugin: SecretsPlugin[Any], planted: Mapping[str, str]) -> None:
        """Neither the plugin nor what it gives or raises prints a value."""
        shown = [repr(plugin), str(plugin), repr(vars(plugin)), repr(plugin.config), repr(plugin.names())]
        shown += [f"{plugin.get(name)!r} {plugin.get(name)}" for name in planted]
        for name in (*(f"{one}-missing" for one in planted), *planted.values(), *NO_NAMES):
            try:
                plugin.get(name)
            except SecretsError as error:
                # The name that was asked for is told, also where somebody took a value for a name.
                shown += [line.replace(name, "") for line in traceback.format_exception(error)] if name else []
        values = [value for value in planted.values() if any(value in text for text in shown)]
        expect(not values, "no value is in a repr, a text or an error")

    def test_a_reference_finds_it_late(self, plugin: SecretsPlugin[Any], planted: Mapping[str, str]) -> None:
        """`{secret: NAME}` in a configuration gives the value when it is asked for, and dumps as the reference."""
        for name, value in planted.items():
            held = _Holder.model_validate({"key": {"secret": name}}, context={STORE_KEY: plugin.get})
            expect(held.key.resolve().get_secret_value() == value, "a reference gives the planted value")
            expect(held.model_dump() == {"key": {"secret": name}}, "a reference is kept as it was written")

    def test_threads_agree(self, plugin: SecretsPlugin[Any], planted: Mapping[str, str]) -> None:
        """Asked side by side, each name gives its own value."""
        asked = [*planted] * THREADS * 4
        with ThreadPoolExecutor(THREADS) as pool:
            found = [one.get_secret_value() for one in pool.map(plugin.get, asked)]
        expect(found == [planted[name] for name in asked], f"{THREADS} threads find the right values")

"""What every storage plugin promises."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.enforcement.literals import is_env_var
from floe_core.errors import FloeError
from floe_core.plugins import PluginType, StoragePlugin
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, secret_variables

if TYPE_CHECKING:
    import pytest


class StorageConformance(PluginConformance):
    """Fixtures: `plugin`, whose references can be resolved, and `secret`, a value behind one of them."""

    plugin_type: ClassVar[PluginType] = PluginType.STORAGE

    def test_uris_nest(self, plugin: StoragePlugin[Any]) -> None:
        """A namespace lies below the root; no slash at the end."""
        root, nested = plugin.warehouse_uri(), plugin.warehouse_uri("a.b")
        expect("://" in root and not root.endswith("/"), f"{root} is a URI without a slash at its end")
        expect(nested == f"{root}/a/b", f"{nested} lies below {root}")

    def test_namespaces_do_not_meet(self, plugin: StoragePlugin[Any]) -> None:
        """Each namespace has a place of its own, the same twice."""
        names = ("a", "b", "ab", "a.b", "a.b.c", "a_b", "A")
        uris = [plugin.warehouse_uri(name) for name in names]
        expect(len(set(uris)) == len(names), "no two namespaces lie in the same place")
        expect(uris == [plugin.warehouse_uri(name) for name in names], "a namespace lies in the same place twice")

    def test_places_need_no_secret(
        self, plugin: StoragePlugin[Any], secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where things lie is told without credentials, and holds none."""
        with_secret = plugin.warehouse_uri("a")
        self._unset(plugin, monkeypatch)
        expect(plugin.warehouse_uri("a") == with_secret, "warehouse_uri does not ask for a secret")
        expect(secret not in with_secret, "a URI holds no secret")

    def test_its_address_holds_no_secret(
        self, plugin: StoragePlugin[Any], secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address is text for a dbt profile: references stay references, whether they lead anywhere or not."""
        with_secret = plugin.address()
        self._unset(plugin, monkeypatch)
        expect(plugin.address() == with_secret, "an address does not depend on the value of a secret")
        expect(secret not in repr(with_secret), "an address holds no secret")
        expect(bool(with_secret.access_key) == bool(with_secret.secret_key), "both keys, or neither")
        expect(not with_secret.secret_key or is_env_var(with_secret.secret_key), "the secret is dbt's env_var")

    def test_secrets_are_resolved_late(self, plugin: StoragePlugin[Any], secret: str) -> None:
        """FileIO properties hold the secret; the plugin, its configuration and what artifacts keep do not."""
        properties = plugin.fileio_properties()
        expect(all(isinstance(value, str) for value in properties.values()), "FileIO properties are text")
        expect(secret in properties.values(), "FileIO properties hold the resolved secret")
        shown = f"{plugin!r} {vars(plugin)!r} {plugin.config!r} {plugin.config.model_dump_json()}"
        expect(secret not in shown, "the secret stays out of what is printed and kept")

    def test_a_rotated_secret_is_seen(
        self, plugin: StoragePlugin[Any], secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next call resolves again."""
        before = plugin.fileio_properties()
        for variable in secret_variables(plugin.config):
            monkeypatch.setenv(variable, "rotated-value")
        if secret_variables(plugin.config):
            after = plugin.fileio_properties()
            expect("rotated-value" in after.values(), "FileIO properties hold the rotated secret")
            expect(secret not in after.values(), "the old secret is gone")
            expect(after.keys() == before.keys(), "a rotation changes values, not names")

    def test_properties_are_the_callers(self, plugin: StoragePlugin[Any]) -> None:
        """The same twice, and a caller who changes one answer does not change the next."""
        first = plugin.fileio_properties()
        kept = dict(first)
        first.clear()
        expect(plugin.fileio_properties() == kept, "FileIO properties are the same twice, and nobody else's")

    def test_a_reference_to_nothing_is_told(
        self, plugin: StoragePlugin[Any], secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A missing secret raises an error that names the reference and no value."""
        variables = secret_variables(plugin.config)
        self._unset(plugin, monkeypatch)
        if not variables:
            return
        try:
            plugin.fileio_properties()
        except FloeError as error:
            told = "".join(traceback.format_exception(error))
            expect(any(variable in told for variable in variables), "the error names the reference")
            expect(error.remedy and secret not in told, "it says what to do, and shows no secret")
        else:
            raise AssertionError("a reference that points to nothing is an error")

    def _unset(self, plugin: StoragePlugin[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        for variable in secret_variables(plugin.config):
            monkeypatch.delenv(variable, raising=False)

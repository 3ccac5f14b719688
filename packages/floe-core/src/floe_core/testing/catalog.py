"""What every catalog plugin promises, without a catalog and with one."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.enforcement.literals import is_env_var
from floe_core.errors import FloeError
from floe_core.plugins import CatalogError, CatalogPlugin, CatalogUnavailableError, HealthState, PluginType
from floe_core.testing.base import CANARY, PluginConformance
from floe_core.testing.expect import expect, refuses, secret_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

BOUND_S = 60.0  # tells a limit from a hang
HEALTH_S = 1.0


class CatalogConformance(PluginConformance):
    """Fixtures: `plugin`; `unreachable`, the same plugin with an address where nothing listens."""

    plugin_type: ClassVar[PluginType] = PluginType.CATALOG

    def test_silence_is_told(self, unreachable: CatalogPlugin[Any]) -> None:
        """Where nothing answers, each act raises its own error, with the place and what to do, and soon."""
        for name, act in _acts(unreachable):
            begin = time.monotonic()
            try:
                act()
            except CatalogUnavailableError as error:
                expect(error.where and error.remedy, f"the error of {name} tells the place and what to do")
            else:
                raise AssertionError(f"{name} raises CatalogUnavailableError where nothing listens")
            took = time.monotonic() - begin
            expect(took < BOUND_S, f"{name} ends where nothing listens (it took {took:.1f} s)")

    def test_silence_is_not_healthy(self, unreachable: CatalogPlugin[Any]) -> None:
        """Where nothing answers, the health says so."""
        answer = unreachable.health_check(HEALTH_S)
        expect(answer.state is HealthState.UNHEALTHY, "a catalog that does not answer is unhealthy")
        expect(answer.message, "its health says why")

    def test_errors_keep_the_secret(self, unreachable: CatalogPlugin[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """No error, nor what caused it, shows a credential."""
        for variable in secret_variables(unreachable.config):
            monkeypatch.setenv(variable, CANARY)
        for name, act in _acts(unreachable):
            try:
                act()
            except FloeError as error:
                expect(CANARY not in "".join(traceback.format_exception(error)), f"the error of {name} shows no secret")

    def test_a_reference_to_nothing_is_told(
        self, unreachable: CatalogPlugin[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A missing secret is named before anything is sent."""
        variables = secret_variables(unreachable.config)
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
        for name, act in _acts(unreachable) if variables else ():
            try:
                act()
            except FloeError as error:
                expect(any(variable in str(error) for variable in variables), f"the error of {name} names the variable")
            else:
                raise AssertionError(f"{name} fails where a secret is missing")

    def test_its_address_holds_no_secret(self, plugin: CatalogPlugin[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """The address is text for a dbt profile: references stay references, whether they lead anywhere or not."""
        variables = secret_variables(plugin.config)
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
        without = plugin.address()
        for variable in variables:
            monkeypatch.setenv(variable, CANARY)
        expect(plugin.address() == without, "an address does not depend on the value of a secret")
        expect(CANARY not in repr(without), "an address holds no secret")
        expect(is_env_var(without.client_secret), "the secret of an address is dbt's env_var")
        expect(without.uri and without.warehouse, "an address says where the catalog is")

    def test_making_it_asks_nobody(self, unreachable: CatalogPlugin[Any]) -> None:
        """An instance is made, started and ended without a catalog: compiling needs none."""
        with type(unreachable)(unreachable.config) as again:
            expect(again.config == unreachable.config, "an instance keeps its configuration")


class LiveCatalogConformance(CatalogConformance):
    """Fixtures: `plugin`, signed in to a running catalog; `unreachable`; `namespace`, a name that is free."""

    def test_namespaces(self, plugin: CatalogPlugin[Any], namespace: str) -> None:
        """Making a namespace is idempotent, a new one is empty, and an unknown one is an error."""
        expect(plugin.create_namespace(namespace) is True, "the first call makes it")
        expect(plugin.create_namespace(namespace) is False, "the second finds it")
        expect(plugin.list_tables(namespace) == (), "it is empty")
        with refuses(CatalogError, "an unknown namespace is an error"):
            plugin.list_tables(f"{namespace}_missing")
        with refuses(CatalogError, "the state of an unknown table is an error"):
            plugin.states([(namespace, "missing")])

    def test_what_one_makes_another_sees(self, plugin: CatalogPlugin[Any], namespace: str) -> None:
        """The catalog remembers, not the instance."""
        plugin.create_namespace(namespace)
        other = type(plugin)(plugin.config)
        expect(other.create_namespace(namespace) is False, "a second instance finds the namespace of the first")
        expect((namespace,) in other.connect().list_namespaces(), "its catalog lists the namespace")

    def test_a_running_catalog_is_healthy(self, plugin: CatalogPlugin[Any]) -> None:
        """Its health says so, in time."""
        answer = plugin.health_check(BOUND_S)
        expect(answer.state is HealthState.HEALTHY, f"a running catalog is healthy: {answer.message}")


def _acts(plugin: CatalogPlugin[Any]) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "connect", plugin.connect
    yield "create_namespace", lambda: plugin.create_namespace("conformance")
    yield "list_tables", lambda: plugin.list_tables("conformance")
    yield "states", lambda: plugin.states([("conformance", "table")])
    yield "overwrite", lambda: plugin.overwrite(("conformance", "table"), list)

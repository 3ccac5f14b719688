"""The suites of catalog plugins find each breach of the contract, and nothing in a catalog that keeps it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from floe_core.plugins import (
    ArrowRows,
    CatalogAddress,
    CatalogError,
    CatalogPlugin,
    CatalogUnavailableError,
    HealthState,
    HealthStatus,
    Keeping,
    Maintained,
    PluginConfig,
    TableState,
)
from floe_core.spec.secrets import SecretRef
from floe_core.testing import CatalogConformance, LiveCatalogConformance

Failing = Callable[..., set[str]]
SHARED: set[str] = set()


class Config(PluginConfig):
    there: bool = True
    key: SecretRef = SecretRef(env="CATALOG_KEY")


class Engine:
    def __init__(self, held: set[str]) -> None:
        self.held = held

    def list_namespaces(self) -> list[tuple[str, ...]]:
        return [tuple(name.split(".")) for name in self.held]


class Catalog(CatalogPlugin[Config]):
    name, version, floe_api_version = "catalog", "1.0.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = Config
    remedy: ClassVar[str] = "start it"
    held = SHARED

    def connect(self, fileio: Mapping[str, str] | None = None) -> Any:
        del fileio
        key = self.config.key.resolve().get_secret_value()
        if not self.config.there:
            raise self.silent(key)
        return Engine(self.held)

    def silent(self, key: str) -> Exception:
        del key
        return CatalogUnavailableError("no answer", where="http://nowhere", remedy=self.remedy)

    def create_namespace(self, namespace: str, properties: Mapping[str, str] | None = None) -> bool:
        del properties
        made = namespace not in self.connect().held
        self.held.add(namespace)
        return made

    def list_tables(self, namespace: str) -> tuple[str, ...]:
        if namespace not in self.connect().held:
            raise CatalogError("no such namespace", remedy="make it")
        return ()

    def address(self) -> CatalogAddress:
        return CatalogAddress("http://nowhere", "w", "me", "{{ env_var('CATALOG_KEY') }}", "s")

    def states(
        self, tables: Sequence[tuple[str, ...]], fileio: Mapping[str, str] | None = None, *, release: str = ""
    ) -> tuple[TableState, ...]:
        self.connect(fileio)
        raise CatalogError(f"no such table as {tables[0]} {release}", remedy="make it")

    def overwrite(
        self, table: tuple[str, ...], rows: Callable[[], ArrowRows], fileio: Mapping[str, str] | None = None
    ) -> TableState:
        self.connect(fileio)
        raise CatalogError(f"no such store for {table} {rows}", remedy="make it")

    def maintain(
        self, namespace: str, keeping: Keeping, fileio: Mapping[str, str] | None = None, *, dry_run: bool = False
    ) -> Iterator[Maintained]:
        self.connect(fileio)
        raise CatalogError(f"no such namespace as {namespace} {keeping} {dry_run}", remedy="make it")

    def health_check(self, timeout_s: float) -> HealthStatus:
        del timeout_s
        state = HealthState.HEALTHY if self.config.there else HealthState.UNHEALTHY
        return HealthStatus(state, "as configured")


class Silent(Catalog):
    remedy: ClassVar[str] = ""


class Other(Catalog):
    def silent(self, key: str) -> Exception:
        del key
        return ConnectionError()


class Quoting(Catalog):
    def silent(self, key: str) -> Exception:
        return CatalogUnavailableError("no answer", where=f"http://root:{key}@nowhere", remedy="start it")


class Hopeful(Catalog):
    def health_check(self, timeout_s: float) -> HealthStatus:
        return HealthStatus(HealthState.HEALTHY, f"{timeout_s}")


class Eager(Catalog):
    def startup(self) -> None:
        self.connect()


class Spelled(Catalog):
    def address(self) -> CatalogAddress:
        return CatalogAddress("http://nowhere", "w", "me", os.environ.get("CATALOG_KEY", ""), "s")


class Inventive(Catalog):
    def states(
        self, tables: Sequence[tuple[str, ...]], fileio: Mapping[str, str] | None = None, *, release: str = ""
    ) -> tuple[TableState, ...]:
        self.connect(fileio)
        return tuple(TableState(one[-1] + release, 0, None) for one in tables)


class Alone(Catalog):
    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.held = set()


class Forgetful(Catalog):
    def create_namespace(self, namespace: str, properties: Mapping[str, str] | None = None) -> bool:
        return super().create_namespace(namespace, properties) or True

    def list_tables(self, namespace: str) -> tuple[str, ...]:
        self.connect()
        return ("surprise",) if namespace in self.held else ()


def failed_of(failing: Failing, suite: type[Any], kind: type[Catalog], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.setenv("CATALOG_KEY", "correct horse")
    SHARED.clear()
    unreachable = kind(Config(there=False))
    return failing(suite, kind(Config()), unreachable=unreachable, namespace="conformance_free")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Catalog, set()),
        (Silent, {"silence_is_told"}),
        (Other, {"silence_is_told"}),
        (Quoting, {"errors_keep_the_secret"}),
        (Hopeful, {"silence_is_not_healthy"}),
        (Eager, {"making_it_asks_nobody"}),
        (Spelled, {"its_address_holds_no_secret"}),
    ],
)
def test_each_breach_is_found(
    failing: Failing, kind: type[Catalog], found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_of(failing, CatalogConformance, kind, monkeypatch)
    assert failed >= found
    assert bool(found) == bool(failed), failed


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Catalog, set()),
        (Alone, {"what_one_makes_another_sees"}),
        (Forgetful, {"namespaces"}),
        (Inventive, {"namespaces"}),
    ],
)
def test_each_breach_of_a_running_catalog_is_found(
    failing: Failing, kind: type[Catalog], found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_of(failing, LiveCatalogConformance, kind, monkeypatch)
    assert failed >= found
    assert bool(found) == bool(failed), failed

"""The suite of storage plugins finds each breach of the contract, and nothing in a store that keeps it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ClassVar

import pytest
from floe_core.plugins import PluginConfig, StorageAddress, StorageError, StoragePlugin
from floe_core.spec.secrets import SecretRef
from floe_core.testing import StorageConformance

Failing = Callable[..., set[str]]


class Config(PluginConfig):
    key: SecretRef = SecretRef(env="STORE_KEY")


class Store(StoragePlugin[Config]):
    name, version, floe_api_version = "store", "1.0.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = Config
    kept: dict[str, str]

    def fileio_properties(self) -> dict[str, str]:
        return {"s3.region": "here", "s3.secret-access-key": self.config.key.resolve().get_secret_value()}

    def warehouse_uri(self, namespace: str = "") -> str:
        return "/".join(["s3://bucket", *(part for part in namespace.split(".") if part)])

    def address(self) -> StorageAddress:
        return StorageAddress("", "here", "someone", "{{ env_var('STORE_KEY') }}")


class Spelled(Store):
    def address(self) -> StorageAddress:
        return StorageAddress("", "here", "someone", os.environ.get("STORE_KEY", ""))


class Slash(Store):
    def warehouse_uri(self, namespace: str = "") -> str:
        return f"{super().warehouse_uri(namespace)}/"


class Flat(Store):
    def warehouse_uri(self, namespace: str = "") -> str:
        return f"s3://bucket/{namespace[:1]}" if namespace != "a.b" else "s3://bucket/a/b"


class Signed(Store):
    def warehouse_uri(self, namespace: str = "") -> str:
        return super().warehouse_uri(namespace).replace("//", f"//{self.config.key.resolve().get_secret_value()}@", 1)


class Early(Store):
    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.kept = super().fileio_properties()

    def fileio_properties(self) -> dict[str, str]:
        return self.kept


class Without(Store):
    def fileio_properties(self) -> dict[str, str]:
        return {"s3.secret-access-key": os.environ.get("STORE_KEY", "")}


class Told(Store):
    last = ""

    def fileio_properties(self) -> dict[str, str]:
        self.last = os.environ.get("STORE_KEY", "")
        if not self.last:
            raise StorageError("no STORE_KEY", why=os.environ["FORMER"], remedy="set it")
        return super().fileio_properties()


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Store, set()),
        (Slash, {"uris_nest"}),
        (Spelled, {"its_address_holds_no_secret"}),
        (Flat, {"namespaces_do_not_meet"}),
        (Signed, {"places_need_no_secret"}),
        (
            Early,
            {
                "secrets_are_resolved_late",
                "a_rotated_secret_is_seen",
                "properties_are_the_callers",
                "a_reference_to_nothing_is_told",
            },
        ),
        (Without, {"a_reference_to_nothing_is_told"}),
        (Told, {"a_reference_to_nothing_is_told"}),
    ],
)
def test_each_breach_is_found(
    failing: Failing, kind: type[Store], found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("STORE_KEY", "FORMER"):
        monkeypatch.setenv(variable, "correct horse")
    failed = failing(StorageConformance, kind(Config()), secret="correct horse")  # noqa: S106 - planted
    assert found <= failed
    assert bool(found) == bool(failed), failed

"""What was loaded reaches the catalog under the product's namespace, or a failure says where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from floe_core.errors import WrongStateError
from floe_core.plugins import CatalogError, CatalogPlugin, ComputePlugin, StoragePlugin
from floe_core.running.publishing import Publisher

FILE = Path("orders.duckdb")


class Compute:
    def landed(self, database: Path, schema: str, table: str) -> Any:
        return None if table == "elsewhere" else [f"{database} {schema} {table}"]


class Storage:
    def fileio_properties(self) -> dict[str, str]:
        return {"s3.endpoint": "here"}


class Catalog:
    name = "made-up"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.written: list[Any] = []

    def overwrite(self, table: tuple[str, ...], rows: Any, fileio: Any = None) -> None:
        if self.error is not None:
            raise self.error
        self.written.append((table, rows(), rows(), fileio))


def publisher(catalog: Catalog) -> Publisher:
    return Publisher(
        cast("ComputePlugin[Any]", Compute()),
        cast("CatalogPlugin[Any]", catalog),
        cast("StoragePlugin[Any]", Storage()),
        "some_orders",
        FILE,
    )


def test_a_table_goes_below_the_product_and_can_be_read_again_for_another_attempt() -> None:
    catalog = Catalog()
    publisher(catalog).publish("raw", "visits")
    rows = [f"{FILE} raw visits"]
    assert catalog.written == [(("some_orders", "raw", "visits"), rows, rows, {"s3.endpoint": "here"})]


def test_what_the_loader_put_elsewhere_is_left_alone() -> None:
    catalog = Catalog()
    publisher(catalog).publish("raw", "elsewhere")
    assert catalog.written == []


def test_a_catalogs_own_error_stays() -> None:
    with pytest.raises(WrongStateError, match="no column"):
        publisher(Catalog(WrongStateError("no column"))).publish("raw", "visits")


def test_any_other_is_told_with_its_place_and_without_its_words() -> None:
    with pytest.raises(CatalogError) as caught:
        publisher(Catalog(OSError("key=planted-secret"))).publish("raw", "visits")
    assert caught.value.where == "some_orders.raw.visits"
    assert "made-up raised OSError" in caught.value.why
    assert "planted-secret" not in str(caught.value)
    assert caught.value.remedy

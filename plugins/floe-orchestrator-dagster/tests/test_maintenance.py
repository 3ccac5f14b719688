"""The maintenance job over a real catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from dagster import DagsterInstance, RunConfig
from floe_iceberg.writing import WriteMode, write
from floe_orchestrator_dagster.maintenance import Maintenance, _said, is_said, maintained, maintenance_job
from floe_orchestrator_dagster.product import read_product
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.resources.iceberg import IcebergAccess, IcebergResource
from pyiceberg.catalog.sql import SqlCatalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_orchestrator_dagster.tracing import Tracing

TABLE = ("tiny_product", "orders")


class LocalIceberg(IcebergResource):
    """A catalog on SQLite over a folder."""

    folder: str

    def catalog(self) -> SqlCatalog:
        return SqlCatalog(
            "test", uri=f"sqlite:///{self.folder}/catalog.db", warehouse=f"file://{self.folder}/warehouse"
        )


@pytest.fixture
def iceberg(tmp_path: Path) -> LocalIceberg:
    return LocalIceberg(access=IcebergAccess(catalog_plugin=Chosen(plugin="polaris")), folder=str(tmp_path))


@pytest.fixture
def table(catalog: SqlCatalog) -> tuple[str, str]:
    """A table that was appended to four times."""
    for number in range(4):
        write(catalog, TABLE, pa.table({"id": pa.array([number], pa.int64())}), mode=WriteMode.APPEND)
    return TABLE


@pytest.mark.usefixtures("table")
def test_the_job_maintains_the_products_tables_as_its_configuration_says(
    make_product: Callable[..., Path], untraced: Tracing, iceberg: LocalIceberg, catalog: SqlCatalog
) -> None:
    product = read_product(make_product(), state=Path(iceberg.folder, "state"))
    job = maintenance_job(product, untraced)
    assert job.name == "tiny_product_maintenance"
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            resources={"tiny_product_iceberg": iceberg},
            run_config=RunConfig(ops={"tiny_product_maintain": Maintenance(days=0, keep_snapshots=1)}),
        )
    told = result.output_for_node("tiny_product_maintain")["tiny_product.orders"]
    assert (told["files_before"], told["files_after"], told["snapshots"]) == (4, 1, 4)
    assert told["files"] > 0
    kept = catalog.load_table(TABLE)
    assert len(kept.snapshots()) == 1
    assert sorted(kept.scan().to_arrow()["id"].to_pylist()) == [0, 1, 2, 3]


@pytest.mark.usefixtures("table")
def test_what_the_product_keeps_is_the_default(
    make_product: Callable[..., Path], untraced: Tracing, iceberg: LocalIceberg, catalog: SqlCatalog, tmp_path: Path
) -> None:
    (tmp_path / "manifest.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: { name: bench, version: 1.0.0, owner: us }\n"
        "plugins: { compute: { type: duckdb }, orchestrator: { type: dagster } }\n",
        encoding="utf-8",
    )
    more = "platform: { manifest: ../manifest.yaml }\nretention: { days: 90, keepSnapshots: 5 }\n"
    product = read_product(make_product(more), state=tmp_path / "state")
    assert _said(product) == Maintenance(days=90, keep_snapshots=5)
    job = maintenance_job(product, untraced)
    with DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, resources={"tiny_product_iceberg": iceberg}).success
    assert len(catalog.load_table(TABLE).snapshots()) == 5  # four appends and a merge, all of them young


def test_where_the_platform_counts_snapshots_only_their_age_is_nothing(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "manifest.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: { name: bench, version: 1.0.0, owner: us }\n"
        "plugins: { compute: { type: duckdb }, orchestrator: { type: dagster } }\n"
        "governance: { snapshot_keep_last: 4 }\n",
        encoding="utf-8",
    )
    product = read_product(make_product("platform: { manifest: ../manifest.yaml }\n"), state=tmp_path / "state")
    assert _said(product) == Maintenance(days=0, keep_snapshots=4)  # as `floe maintain` reads it
    assert is_said(product)
    (tmp_path / "manifest.yaml").unlink()
    assert not is_said(read_product(tmp_path / product.folder.name, state=tmp_path / "state"))


def test_a_product_without_tables_has_nothing_to_do(catalog: SqlCatalog) -> None:
    assert maintained(catalog, "nowhere", Maintenance()) == {}

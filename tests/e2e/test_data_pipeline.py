"""The product's marts as Iceberg tables in the platform's catalog, read by engines that did not write them (WU-5).

DuckDB built them, PyIceberg wrote them; here PyIceberg reads the catalog anew, and a plain DuckDB attaches the
catalog by itself.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from floe_core.plugins import Lane
from floe_ops.products import BuildResult, build_product, facts, truths
from floe_ops.products.build import Places
from floe_ops.products.publish import Publisher, open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.products.result import TableFacts
    from floe_ops.targets import Platform
    from pyiceberg.table import Table

pytestmark = pytest.mark.catalog

PRODUCT = "customer-360"
NAMESPACE = "customer_360"
EXTENSIONS = ("httpfs", "avro", "iceberg")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `dbt.demo` has just published the product from, if it did so in this run; else a new folder."""
    result = Places.of(PRODUCT, Lane.ICEBERG).result
    started = int(os.environ.get("FLOE_RUN_STARTED") or 0)
    if started and result.is_file() and result.stat().st_mtime_ns > started:
        return result.parents[1]
    return tmp_path_factory.mktemp("iceberg")


@pytest.fixture(scope="module")
def built(project_root: Path, platform: Platform, home: Path) -> BuildResult:
    """The product, built and published once for all tests of this module."""
    result = Places.of(PRODUCT, Lane.ICEBERG, home).result
    if result.is_file():
        return BuildResult.read(result)
    return build_product(project_root / "demo" / PRODUCT, Lane.ICEBERG, platform, home=home)


@pytest.fixture
def database(built: BuildResult, home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file that dbt built, which is what the catalog's tables must equal."""
    with duckdb.connect(str(Places.of(built.product, Lane.ICEBERG, home).database), read_only=True) as connection:
        yield connection


@pytest.fixture
def lake(built: BuildResult, platform: Platform) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that knows nothing of the build: the catalog, attached as `lake`; `marts` holds views of its tables."""
    with duckdb.connect() as connection:
        for name in EXTENSIONS:
            connection.execute(f"load '{_extension(name)}'")
        store, secrets = platform.urls["s3"].removeprefix("http://"), platform.secrets
        connection.execute(
            f"create secret store (type s3, key_id '{secrets['s3-access-key']}', secret '{secrets['s3-secret-key']}', "
            f"endpoint '{store}', region '{platform.region}', use_ssl false, url_style 'path')"
        )
        api = f"{platform.urls['polaris']}/api/catalog"
        connection.execute(
            f"create secret sign_in (type iceberg, client_id '{platform.client_id}', "
            f"client_secret '{secrets['polaris-client-secret']}', oauth2_scope 'PRINCIPAL_ROLE:ALL', "
            f"oauth2_server_uri '{api}/v1/oauth/tokens')"
        )
        connection.execute(
            f"attach '{platform.catalog}' as lake (type iceberg, endpoint '{api}', secret sign_in, "
            "access_delegation_mode 'none')"
        )
        connection.execute("create schema marts")
        for table in built.tables:
            connection.execute(f"create view marts.{table.name} as from lake.{NAMESPACE}.{table.name}")
        yield connection


def _extension(name: str) -> Path:
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    assert spec
    assert spec.submodule_search_locations
    (path,) = Path(spec.submodule_search_locations[0]).rglob("*.duckdb_extension")
    return path


@pytest.mark.requirement("WU5-AC5")
def test_pyiceberg_reads_what_duckdb_built(
    built: BuildResult, platform: Platform, database: duckdb.DuckDBPyConnection
) -> None:
    catalog = open_catalog(platform)
    names = sorted(name for _, name in catalog.list_tables(NAMESPACE))
    assert set(names) >= {table.name for table in built.tables}
    for table in built.tables:
        rows = catalog.load_table((NAMESPACE, table.name)).scan().to_arrow()
        with duckdb.connect() as reader:
            reader.register("incoming", rows)
            read = facts.of_table(reader, "incoming", table.name)
        assert read.differences(facts.of_table(database, f"marts.{table.name}", table.name)) == []
        assert read.rows == table.rows > 0


@pytest.mark.requirement("WU5-AC5")
def test_a_plain_duckdb_reads_the_same_rows(
    built: BuildResult, database: duckdb.DuckDBPyConnection, lake: duckdb.DuckDBPyConnection
) -> None:
    for table in built.tables:
        read = facts.of_table(lake, f"marts.{table.name}", table.name)
        assert read.differences(facts.of_table(database, f"marts.{table.name}", table.name)) == []
        assert facts.columns(lake, f"marts.{table.name}") == facts.columns(database, f"marts.{table.name}")


@pytest.mark.requirement("WU5-AC5")
def test_the_catalog_answers_the_business_questions(project_root: Path, lake: duckdb.DuckDBPyConnection) -> None:
    planted = truths.load(project_root / "demo" / PRODUCT)
    answers = {truth.id: truth.found for truth in truths.check(lake, planted, where="the catalog, by a plain DuckDB")}
    assert answers["net_spend_eur"] == "135698.86"
    assert len(answers["churn_risk"]) == 23


@pytest.fixture
def namespace(platform: Platform) -> Iterator[str]:
    """A namespace that nobody else writes to, taken away with its tables."""
    name = f"again_{secrets.token_hex(4)}"
    yield name
    catalog = open_catalog(platform)
    for table in catalog.list_tables(name):
        catalog.drop_table(table)
    catalog.drop_namespace(name)


@pytest.mark.requirement("WU5-AC5")
def test_a_second_publication_is_one_commit_and_leaves_the_first_readable(
    platform: Platform, database: duckdb.DuckDBPyConnection, namespace: str
) -> None:
    table = "mart_segment_summary"
    publisher = Publisher(platform, namespace, {"floe.product": PRODUCT})

    def publish() -> tuple[TableFacts, Table]:
        (fact,) = publisher.publish(database, {table: f"marts.{table}"}, lambda _fact: None)
        return fact, open_catalog(platform).load_table((namespace, table))

    first, before = publish()
    second, after = publish()
    assert len(after.metadata.metadata_log) == len(before.metadata.metadata_log) + 1
    assert second.snapshot_id != first.snapshot_id
    assert second.differences(first) == []
    assert after.scan().to_arrow().num_rows == first.rows
    assert after.scan(snapshot_id=first.snapshot_id).to_arrow().num_rows == first.rows

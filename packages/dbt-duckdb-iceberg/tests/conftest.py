"""dbt's own suites, against a catalog and an object store that this session starts and ends."""

# ruff: noqa: S608 - the statements are the test's own

from __future__ import annotations

import importlib
import re
import secrets
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials

# dbt publishes its fixtures as a plugin, which only a root conftest could load; here they belong to this folder alone.
from dbt.tests.fixtures.project import (  # noqa: F401
    adapter,
    analyses,
    clean_up_logging,
    dbt_profile_data,
    dbt_project_yml,
    dependencies,
    dependencies_yml,
    environment,
    functions,
    initialization,
    macros,
    models,
    packages,
    packages_yml,
    prefix,
    profile_user,
    profiles_config_update,
    profiles_root,
    profiles_yml,
    project_config_update,
    project_files,
    project_root,
    project_setup,
    properties,
    seeds,
    selectors,
    selectors_yml,
    shared_data_dir,
    snapshots,
    test_config,
    test_data_dir,
    tests,
    unique_schema,
)
from polaris_standin.contract.stack import BUCKET, Keys, ObjectStore, Polaris

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyiceberg.catalog import Catalog

WAREHOUSE = "unit"
QUIET = (
    "ignore::ResourceWarning",  # dbt leaves its log files to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:Class-scoped fixtures defined as instance methods:pytest.PytestRemovedIn10Warning",  # in dbt's suites
    "ignore::DeprecationWarning:dbt",
    "ignore::DeprecationWarning:dbt_common",
    "ignore:.*:DeprecationWarning:agate",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "dbt-duckdb-iceberg" in item.path.parts:
            for line in QUIET:
                item.add_marker(pytest.mark.filterwarnings(line))


@dataclass(frozen=True)
class Lakehouse:
    """A catalog and its store."""

    uri: str
    client_id: str
    client_secret: str
    endpoint: str
    keys: Keys

    def profile(self, folder: Path, namespace: str) -> dict[str, Any]:
        return {
            "type": "duckdb_iceberg",
            "path": str(folder / "local.duckdb"),
            "threads": 2,
            "keep_open": True,  # the suites connect for every statement
            "namespace": namespace,
            "catalog": {
                "uri": self.uri,
                "warehouse": WAREHOUSE,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
            "storage": {"endpoint": self.endpoint, "access_key": self.keys.access, "secret_key": self.keys.secret},
        }

    def credentials(self, folder: Path, namespace: str) -> DuckDBIcebergCredentials:
        data = self.profile(folder, namespace)
        fields = {name: value for name, value in data.items() if name not in ("type", "threads")}
        return DuckDBIcebergCredentials.from_dict(
            DuckDBIcebergCredentials.__pre_deserialize__({**fields, "schema": "main"})
        )


@pytest.fixture(scope="session")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    folder, keys = tmp_path_factory.mktemp("lakehouse"), Keys(f"key-{secrets.token_hex(8)}", secrets.token_hex(16))
    with ObjectStore(folder / "store", keys) as store, Polaris(folder / "catalog", keys) as polaris:
        server = polaris.server
        _make_warehouse(server.api, server.client_id, server.secret, store.address)
        yield Lakehouse(server.api, server.client_id, server.secret, f"http://{store.address}", keys)


def _make_warehouse(api: str, client_id: str, secret: str, store: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    answer = requests.post(
        f"{api}/api/catalog/v1/oauth/tokens", data={**form, "scope": "PRINCIPAL_ROLE:ALL"}, timeout=9
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    base = f"s3://{BUCKET}/{WAREHOUSE}"
    storage = {
        "storageType": "S3",
        "allowedLocations": [f"{base}/"],
        "endpoint": f"http://{store}",
        "pathStyleAccess": True,
        "region": "us-east-1",
    }
    body = {
        "name": WAREHOUSE,
        "type": "INTERNAL",
        "properties": {"default-base-location": base},
        "storageConfigInfo": storage,
    }
    root = f"{api}/api/management/v1/catalogs"
    requests.post(root, json={"catalog": body}, headers=headers, timeout=9).raise_for_status()
    given = {"grant": {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"}}
    path = f"{root}/{WAREHOUSE}/catalog-roles/catalog_admin/grants"
    requests.put(path, json=given, headers=headers, timeout=9).raise_for_status()


@pytest.fixture(scope="class")
def dbt_profile_target(
    lakehouse: Lakehouse,
    unique_schema: str,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    return lakehouse.profile(tmp_path_factory.mktemp("local"), unique_schema)


@pytest.fixture(scope="class")
def project(project_setup: Any, project_files: None) -> Any:  # noqa: F811
    """dbt's project; the suites' own statements name a table by its schema alone, which would be the local file's."""
    run, schema = project_setup.run_sql, project_setup.test_schema

    def run_sql(sql: str, fetch: str | None = None) -> Any:
        return run(re.sub(rf"(?<![.\w]){schema}\.", f"ice.{schema}.", sql), fetch=fetch)

    project_setup.run_sql = run_sql
    return project_setup


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """dbt's own fixture would write beside the sources."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("logs"))
        patch.setenv("DBT_LOG_PATH", folder)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _views_are_local() -> Iterator[None]:
    """dbt's suites take every relation to be in the target's database; views are in the local file."""
    from dbt.tests import util

    original = util.relation_from_name

    def found(adapter: Any, name: str) -> Any:  # noqa: F811
        relation = original(adapter, name)
        locals_ = adapter.connections.environment().locals
        if any(known == relation.identifier for known, _ in locals_.relations(relation.schema)):
            return relation.incorporate(path={"database": adapter.config.credentials.local_database})
        return relation

    importlib.import_module("dbt.tests.adapter.basic.test_incremental")
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("dbt.tests.") and hasattr(module, "relation_from_name"):
                patch.setattr(module, "relation_from_name", found)
        yield


class Bench:
    """A DuckDB with the catalog attached, and a namespace of its own."""

    def __init__(self, lakehouse: Lakehouse, folder: Path, namespace: str) -> None:
        from dbt.adapters.duckdb_iceberg.environment import IcebergEnvironment

        self.namespace = namespace
        self.environment = IcebergEnvironment(lakehouse.credentials(folder, namespace))
        opened: Any = self.environment
        self.cursor: Any = opened.handle().cursor()
        self.catalog: Catalog = self.environment.catalog
        self.catalog.create_namespace(namespace)

    def run(self, sql: str) -> list[dict[str, Any]]:
        self.cursor.execute(sql)
        names = [column[0] for column in self.cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def replace(self, name: str, sql: str, **config: Any) -> Any:
        from dbt.adapters.duckdb_iceberg.model import wanted
        from dbt.adapters.duckdb_iceberg.replacing import Replacement
        from dbt.adapters.duckdb_iceberg.storable import columns

        bound = self.cursor.sql(sql)
        found = columns(bound.columns, bound.types)
        model = {"unique_id": f"model.unit.{name}", "config": config, **config.pop("model", {})}
        table = wanted((self.namespace, name), found.schema, model, {"relation": True, "columns": True})
        return Replacement(self.catalog, self.run, table).do(sql, found.select)

    def table(self, name: str) -> Any:
        return self.catalog.load_table((self.namespace, name))

    def rows(self, name: str, what: str = "*") -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.cursor.execute(
            f'select {what} from ice."{self.namespace}"."{name}" order by all'  # nosec B608 - names of our own
        ).fetchall()
        return found


@pytest.fixture
def bench(lakehouse: Lakehouse, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(lakehouse, tmp_path, f"n{secrets.token_hex(4)}")
    yield made
    made.environment.close()

"""Sources of a product in the Iceberg lane: loaded by dlt, read by the models and by others in the catalog (WU-5).

`floe run` and Dagster put them at the same place, so that either goes on where the other has stopped.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from dagster import DagsterInstance
from floe_ops.products import reading
from floe_orchestrator_dagster import load_product_definitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.targets import Platform
    from pyiceberg.catalog import Catalog

pytestmark = [pytest.mark.catalog, pytest.mark.requirement("WU5-AC5"), pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]
FLOE = Path(sys.executable).with_name("floe")
LIMIT_S = 120
SPEC = {
    "apiVersion": "floe.dev/v1",
    "kind": "FloeSpec",
    "platform": {"manifest": "../manifest.yaml"},
    "transforms": [{"name": "visitors", "tier": "gold"}],
    "sources": [{"name": "door", "config": {"kind": "files", "url": "in", "format": "csv", "table": "visits"}}],
    "outputPorts": [{"name": "visitors"}],
}
MODELS = """
models:
  - name: visitors
    description: Who came how often.
    columns:
      - { name: name, data_type: varchar, description: Who., data_tests: [unique, not_null] }
      - { name: visits, data_type: bigint, description: How often. }
sources:
  - { name: door, schema: raw, tables: [{ name: visits }] }
"""
MODEL = """
{{ config(materialized='table') }}
select name, count(*) as visits from {{ source('door', 'visits') }} group by name
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A product with a source, on the demo's platform with a loader besides."""
    name = f"visits-{secrets.token_hex(3)}"
    folder = tmp_path / name
    manifest = yaml.safe_load((ROOT / "demo" / "manifest.yaml").read_text(encoding="utf-8"))
    manifest["plugins"]["ingestion"] = {"type": "dlt"}
    project = {
        "name": name.replace("-", "_"),
        "profile": name.replace("-", "_"),
        "config-version": 2,
        "version": "1.0.0",
    }
    files = {
        "../manifest.yaml": yaml.safe_dump({key: manifest[key] for key in manifest if key != "governance"}),
        "floe.yaml": yaml.safe_dump({**SPEC, "metadata": {"name": name, "version": "1.0.0"}}),
        "dbt_project.yml": yaml.safe_dump({**project, "flags": {"send_anonymous_usage_stats": False}}),
        "models/models.yml": MODELS,
        "models/visitors.sql": MODEL,
        "in/monday.csv": "id,name\n1,ann\n2,bob\n3,ann\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def catalog(platform: Platform, product: Path) -> Iterator[Catalog]:
    """The catalog, without the product's tables in the end."""
    found = reading.open_catalog(platform)
    yield found
    slug = product.name.replace("-", "_")
    for namespace in [(slug, "raw"), (slug,)]:
        if found.namespace_exists(namespace):
            for table in found.list_tables(namespace):
                found.drop_table(table)
            found.drop_namespace(namespace)


def floe(product: Path, platform: Platform, *words: str) -> str:
    env = {**os.environ, **platform.environment(), "OTEL_SDK_DISABLED": "true"}
    command = [str(FLOE), *words, "--lane", "iceberg"]
    done = subprocess.run(command, cwd=product, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def rows(catalog: Catalog, product: Path, *table: str) -> list[dict[str, Any]]:
    found = catalog.load_table((product.name.replace("-", "_"), *table)).scan().to_arrow()
    return [
        {name: value for name, value in row.items() if not name.startswith("_dlt")}
        for row in sorted(found.to_pylist(), key=lambda row: (row["name"], row.get("id", 0)))
    ]


def test_the_loaded_rows_are_in_the_catalog_where_the_models_read_them(
    product: Path, platform: Platform, catalog: Catalog
) -> None:
    floe(product, platform, "run")
    assert rows(catalog, product, "raw", "visits") == [
        {"id": 1, "name": "ann"},
        {"id": 3, "name": "ann"},
        {"id": 2, "name": "bob"},
    ]
    assert rows(catalog, product, "visitors") == [{"name": "ann", "visits": 2}, {"name": "bob", "visits": 1}]
    floe(product, platform, "test")


def test_dagster_goes_on_where_floe_run_has_stopped(
    product: Path, platform: Platform, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    floe(product, platform, "run")
    first = catalog.load_table((product.name.replace("-", "_"), "raw", "visits"))
    for name, value in {**platform.environment(), "OTEL_SDK_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    state = tmp_path / "state"
    repository = load_product_definitions(product, state=state, lane="iceberg").get_repository_def()
    with DagsterInstance.ephemeral() as instance:
        job = repository.get_job(f"{product.name.replace('-', '_')}_build")
        assert job.execute_in_process(instance=instance).success
    after = catalog.load_table(first.name())
    assert after.schema().as_struct() == first.schema().as_struct()
    assert len(after.snapshots()) == len(first.snapshots()) + 1, "it is the same table, with one commit more"
    assert rows(catalog, product, "visitors") == [{"name": "ann", "visits": 2}, {"name": "bob", "visits": 1}]

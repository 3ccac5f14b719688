"""Fixtures of floe_core's tests: a copy of the example product to break, and plugins that are made up on the spot."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry

DATA = Path(__file__).parent / "data"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with `manifest.yaml` and the product `orders/floe.yaml`."""
    return Path(shutil.copytree(DATA, tmp_path / "example"))


@pytest.fixture
def edit() -> Callable[[Path, str, str], None]:
    """Replaces text in a file; text that is not there is a mistake in the test."""

    def replace(path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture
def plugin_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., PluginEntry], None, None]:
    """Writes a module with a plugin class and gives its declaration; the module is forgotten afterwards."""
    folder = tmp_path / "plugin-modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made: list[str] = []

    def write(kind: PluginType, name: str, body: str, *, attribute: str = "Plugin") -> PluginEntry:
        module = f"made_up_plugin_{len(made)}"
        made.append(module)
        (folder / f"{module}.py").write_text(textwrap.dedent(body), encoding="utf-8")
        return PluginEntry(kind, name, f"{module}:{attribute}", f"floe-{kind}-{name}", "1.2.3")

    yield write
    for module in made:
        sys.modules.pop(module, None)


ORDERS = {
    "bronze_orders": "select * from {{ ref('raw_orders') }}\n",
    "silver_orders": "select * from {{ ref('bronze_orders') }}\n",
    "gold_orders_by_day": "select order_day, revenue from {{ ref('silver_orders') }}\n",
}


@pytest.fixture
def dbt_files() -> Callable[..., Path]:
    """Writes the dbt project of the example product, and a manifest that agrees with it as dbt would write it.

    `change` gets the manifest before it is written, to break it; `manifest=False` leaves it out.
    """

    def write(folder: Path, *, manifest: bool = True, change: Callable[[dict[str, Any]], object] | None = None) -> Path:
        (folder / "models").mkdir()
        (folder / "dbt_project.yml").write_text("name: orders\nversion: 1.0.0\nprofile: orders\n", encoding="utf-8")
        (folder / "models" / "schema.yml").write_text("version: 2\n", encoding="utf-8")
        for name, sql in ORDERS.items():
            (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
        whole = dbt_manifest_of(ORDERS)
        if change is not None:
            change(whole)
        if manifest:
            (folder / "target").mkdir()
            (folder / "target" / "manifest.json").write_text(json.dumps(whole), encoding="utf-8")
        return folder

    return write


def dbt_manifest_of(models: dict[str, str]) -> dict[str, Any]:
    """A manifest in dbt's own shape, schema v12, of models that are each documented and tested."""
    nodes: dict[str, Any] = {}
    previous = "seed.orders.raw_orders"
    nodes[previous] = {"resource_type": "seed", "package_name": "orders", "name": "raw_orders"}
    for name, sql in models.items():
        columns = {one: {"name": one, "description": f"The {one}."} for one in ("order_day", "revenue")}
        nodes[f"model.orders.{name}"] = {
            "resource_type": "model",
            "package_name": "orders",
            "name": name,
            "description": f"Rows of {name}.",
            "columns": columns,
            "tags": ["daily"],
            "original_file_path": f"models/{name}.sql",
            "checksum": {"name": "sha256", "checksum": hashlib.sha256(sql.strip().encode()).hexdigest()},
            "depends_on": {"nodes": [previous]},
            "config": {"materialized": "table"},
            "version": None,
            "latest_version": None,
        }
        nodes[f"test.orders.not_null_{name}"] = {
            "resource_type": "test",
            "package_name": "orders",
            "name": f"not_null_{name}_order_day",
            "attached_node": f"model.orders.{name}",
            "column_name": "order_day",
            "test_metadata": {"name": "not_null", "namespace": None},
            "depends_on": {"nodes": [f"model.orders.{name}"]},
        }
        previous = f"model.orders.{name}"
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": "1.11.16",
        "project_name": "orders",
        # Later than any file that a test writes now, so that only what a test changes makes it stale.
        "generated_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
    }
    return {"metadata": metadata, "nodes": nodes, "sources": {}, "disabled": {}}

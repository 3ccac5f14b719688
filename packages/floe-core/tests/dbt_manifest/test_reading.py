"""Finding a product's manifest, and knowing when it does not speak of the files that are there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from floe_core import dbt_manifest
from floe_core.dbt_manifest import Reading
from floe_core.dbt_manifest.reading import REMEDY

Write = Callable[..., Path]


def read(folder: Path) -> Reading:
    return dbt_manifest.read(folder, dbt_manifest.find(folder))


def test_a_manifest_that_agrees_with_the_files_is_used(tmp_path: Path, dbt_files: Write) -> None:
    reading = read(dbt_files(tmp_path))
    assert (reading.why, reading.file) == ("", "target/manifest.json")
    assert reading.manifest is not None
    assert list(reading.manifest.models) == ["bronze_orders", "silver_orders", "gold_orders_by_day"]


def test_the_target_folder_is_where_the_project_says(tmp_path: Path, dbt_files: Write) -> None:
    folder = dbt_files(tmp_path)
    with (folder / "dbt_project.yml").open("a") as stream:
        stream.write("target-path: built\n")
    (folder / "target").rename(folder / "built")
    assert read(folder).manifest is not None


def changed(folder: Path) -> None:
    (folder / "models" / "silver_orders.sql").write_text("select 1")


def renamed(folder: Path) -> None:
    (folder / "models" / "silver_orders.sql").rename(folder / "models" / "silver.sql")


def added(folder: Path) -> None:
    (folder / "models" / "extra.sql").write_text("select 1")


def later(folder: Path) -> None:
    path, at = folder / "models" / "schema.yml", time.time() + 7200
    os.utime(path, (at, at))


def cut(folder: Path) -> None:
    path = folder / "target" / "manifest.json"
    path.write_bytes(path.read_bytes()[:-100])


def foreign(folder: Path) -> None:
    (folder / "dbt_project.yml").write_text("name: other\n")


def gone(folder: Path) -> None:
    (folder / "target" / "manifest.json").unlink()


def a_folder(folder: Path) -> None:
    gone(folder)
    (folder / "target" / "manifest.json").mkdir()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (changed, "stale: models/silver_orders.sql has changed since"),
        (renamed, "stale: models/silver_orders.sql is not there any more"),
        (added, "stale: it does not know models/extra.sql"),
        (later, "stale: models/schema.yml is newer"),
        (cut, "target/manifest.json:1:"),
        (foreign, "stale: it is of the project 'orders', and this is 'other'"),
        (gone, "there is no target/manifest.json"),
        (a_folder, "target/manifest.json cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_told(
    tmp_path: Path, dbt_files: Write, change: Callable[[Path], None], why: str
) -> None:
    folder = dbt_files(tmp_path)
    change(folder)
    reading = read(folder)
    assert reading.manifest is None
    assert why in reading.why
    assert "cannot be read" in reading.why or reading.why.endswith(REMEDY)


@pytest.mark.parametrize("generated", ["", "yesterday", "0001-01-01T00:00:00Z"])
def test_a_manifest_without_its_time_is_not_trusted(tmp_path: Path, dbt_files: Write, generated: str) -> None:
    def change(whole: dict[str, Any]) -> None:
        whole["metadata"]["generated_at"] = generated

    assert "stale" in read(dbt_files(tmp_path, change=change)).why


def test_models_that_are_switched_off_or_older_versions_do_not_make_it_stale(tmp_path: Path, dbt_files: Write) -> None:
    def change(whole: dict[str, Any]) -> None:
        whole["disabled"] = {"x": [{"resource_type": "model", "package_name": "orders", "name": "off"}]}

    folder = dbt_files(tmp_path, change=change)
    for name in ("off", "silver_orders_v1"):
        (folder / "models" / f"{name}.sql").write_text("select 1")
    assert read(folder).why == ""


def test_without_a_dbt_project_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert "no dbt project" in read(tmp_path).why

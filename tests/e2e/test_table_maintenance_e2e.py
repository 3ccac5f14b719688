"""Tables that DuckDB wrote with MERGE and DELETE are compacted and expired; the store's objects are counted (WU-5).

PyIceberg does the work, DuckDB attaches the catalog anew and reads the same rows as before.
"""

from __future__ import annotations

import json
import secrets
from contextlib import chdir, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from click.testing import CliRunner
from floe_core.cli import main
from floe_iceberg import compaction, retention, versions
from floe_iceberg.writing import WriteMode, write
from floe_ops.products.reading import attached, open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb
    from floe_ops.targets import Platform
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

pytestmark = pytest.mark.catalog

# ruff: noqa: S608 - the names in the SQL are made here

SOON = timedelta(hours=1)
MIB = 1024 * 1024


@pytest.fixture
def catalog(platform: Platform) -> Iterator[Catalog]:
    with open_catalog(platform) as opened:
        yield opened


@pytest.fixture
def namespace(catalog: Catalog) -> Iterator[str]:
    """A product's namespace with a schema `marts`, both gone afterwards."""
    name = f"maintain_{secrets.token_hex(4)}"
    catalog.create_namespace(name)
    catalog.create_namespace((name, "marts"))
    yield name
    for levels in ((name, "marts"), (name,)):
        for identifier in catalog.list_tables(levels):
            table = catalog.load_table(identifier)
            catalog.drop_table(identifier)
            for place in objects_of(table):
                with suppress(FileNotFoundError):
                    table.io.delete(place)
        catalog.drop_namespace(levels)


@pytest.fixture
def lake(platform: Platform) -> Iterator[duckdb.DuckDBPyConnection]:
    with attached(platform) as connection:
        yield connection


def objects_of(table: Table) -> set[str]:
    """What lies below the table's location, as the store's own client lists it."""
    bucket, prefix = table.location().removeprefix("s3://").split("/", 1)
    properties = table.io.properties
    store = boto3.client(
        "s3",
        endpoint_url=properties["s3.endpoint"],
        aws_access_key_id=properties["s3.access-key-id"],
        aws_secret_access_key=properties["s3.secret-access-key"],
        region_name=properties["s3.region"],
    )
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/") + "/")
    found = (one["Key"] for page in pages for one in page.get("Contents", []))
    # Arrow's client leaves an empty mark where a folder would be.
    return {f"s3://{bucket}/{key}" for key in found if not key.endswith("/")}


def named_by(table: Table) -> set[str]:
    """Everything that the table's snapshots need, and its own metadata."""
    found = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    for snapshot in table.snapshots():
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            found.add(manifest.manifest_path)
            found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return found


def merged_and_deleted(lake: duckdb.DuckDBPyConnection, name: str) -> None:
    """Five loads, a merge that changes and adds rows, and a delete: what leaves small files and position deletes."""
    lake.execute(f"create table {name} as select i as id, i % 7 as shelf, 'note ' || i as note from range(1000) r(i)")  # nosec B608 - names of our own
    for start in range(1000, 5000, 1000):
        lake.execute(f"insert into {name} select i, i % 7, 'note ' || i from range({start}, {start + 1000}) r(i)")  # nosec B608 - names of our own
    lake.execute(
        f"merge into {name} as t using (select i as id, 99 as shelf from range(4900, 5100) r(i)) as s on t.id = s.id "  # nosec B608 - names of our own
        "when matched then update set shelf = s.shelf when not matched then insert values (s.id, s.shelf, 'new')"
    )
    lake.execute(f"delete from {name} where id % 10 = 3")  # nosec B608 - names of our own


def rows_of(lake: duckdb.DuckDBPyConnection, name: str) -> list[Any]:
    return lake.execute(f"select id, shelf, note from {name} order by id").fetchall()  # nosec B608 - a name made here


@pytest.mark.requirement("WU5-AC5")
def test_duckdbs_deletes_are_applied_and_its_old_files_leave_the_store(
    catalog: Catalog, namespace: str, lake: duckdb.DuckDBPyConnection, platform: Platform
) -> None:
    name = f'lake."{namespace}.marts".orders'
    merged_and_deleted(lake, name)
    table = catalog.load_table((namespace, "marts", "orders"))
    before, at_first = rows_of(lake, name), objects_of(table)
    assert len(before) == 4590
    tasks = list(table.scan().plan_files())
    assert any(task.delete_files for task in tasks), "DuckDB no longer writes position deletes"
    tagged = versions.tag(table, "v1.0.0")
    lake.execute(f"update {name} set note = 'late' where id = 1")  # nosec B608 - names of our own
    before = rows_of(lake, name)

    done = compaction.compact(table, target_bytes=32 * MIB)
    assert done.files_after == 1 < done.files_before
    assert done.deletes_removed > 0
    (task,) = table.refresh().scan().plan_files()
    assert not task.delete_files
    assert task.file.record_count == 4590
    with attached(platform) as another:
        assert rows_of(another, name) == before
    assert sorted(map(tuple, (row.values() for row in table.scan().to_arrow().to_pylist()))) == before

    expired = retention.expire(table, older_than=datetime.now(UTC) + SOON, keep_last=1)
    left = objects_of(table.refresh())
    assert expired.snapshots >= 5
    assert len(at_first - left) > 10
    assert {snapshot.snapshot_id for snapshot in table.snapshots()} == {tagged, done.snapshot_id}
    retention.orphans(table, older_than=datetime.now(UTC) + SOON)
    left = objects_of(table)
    assert left <= named_by(table), "nothing needs these"
    assert named_by(table) - left <= {entry.metadata_file for entry in table.metadata.metadata_log}
    with attached(platform) as another:
        assert rows_of(another, name) == before
    assert table.scan(snapshot_id=tagged).to_arrow().num_rows == 4590


@pytest.mark.requirement("WU5-AC5")
def test_partitions_are_merged_one_by_one_and_both_engines_go_on_writing(
    catalog: Catalog, namespace: str, lake: duckdb.DuckDBPyConnection
) -> None:
    identifier = (namespace, "marts", "readings")
    for start in range(0, 400, 100):
        ids = list(range(start, start + 100))
        rows = pa.table({"id": ids, "shelf": [i % 2 for i in ids], "note": [f"n{i}" for i in ids]})
        write(catalog, identifier, rows.to_reader(), mode=WriteMode.APPEND, partition_by=["shelf"])
    name = f'lake."{namespace}.marts".readings'
    lake.execute(f"delete from {name} where id < 10")  # nosec B608 - names of our own
    table = catalog.load_table(identifier)
    done = compaction.compact(table, target_bytes=32 * MIB)
    assert (done.files_before, done.files_after) == (8, 2)
    lake.execute(f"insert into {name} values (1000, 1, 'by DuckDB')")  # nosec B608 - names of our own
    more = pa.table({"id": [1, 1000], "shelf": [1, 0], "note": ["again", "moved"]})
    write(catalog, identifier, more, mode=WriteMode.UPSERT, keys=["id"])
    expected = [(i, i % 2, f"n{i}") for i in range(10, 400)] + [(1, 1, "again"), (1000, 0, "moved")]
    assert rows_of(lake, name) == sorted(expected)


@pytest.mark.requirement("WU5-AC5")
def test_what_a_killed_writer_left_is_found_and_nothing_else(catalog: Catalog, namespace: str) -> None:
    identifier = (namespace, "orders")
    write(catalog, identifier, pa.table({"id": [1]}), mode=WriteMode.APPEND)
    table = catalog.load_table(identifier)
    neighbour = f"{table.location()}-of-somebody-else/data/kept.parquet"
    for place in (f"{table.location()}/data/lost.parquet", neighbour):
        with table.io.new_output(place).create() as stream:
            stream.write(b"lost")
    assert retention.orphans(table).files == 0, "a write may be under way"
    assert retention.orphans(table, older_than=datetime.now(UTC) + SOON, dry_run=True).files == 1
    assert retention.orphans(table, older_than=datetime.now(UTC) + SOON).files == 1
    assert objects_of(table) == named_by(table)
    assert table.io.new_input(neighbour).exists()
    table.io.delete(neighbour)


@pytest.fixture
def product(namespace: str, project_root: Path, tmp_path: Path) -> Path:
    """A product of that namespace on the demos' platform, which keeps a day and two snapshots."""
    folder = tmp_path / namespace.replace("_", "-")
    with chdir(tmp_path):
        made = CliRunner().invoke(main, ["init", folder.name])
    assert made.exit_code == 0, made.output
    spec = folder / "floe.yaml"
    own = spec.read_text().replace("manifest: manifest.yaml", f"manifest: {project_root}/demo/manifest.yaml")
    spec.write_text(f"{own}\nretention: {{ days: 1, keepSnapshots: 2 }}\n")
    return folder


@pytest.mark.requirement("WU5-AC5")
def test_one_command_maintains_a_product(platform: Platform, catalog: Catalog, namespace: str, product: Path) -> None:
    for number in range(4):
        rows = pa.table({"id": [number]})
        for identifier in ((namespace, "plain"), (namespace, "marts", "orders")):
            write(catalog, identifier, rows, mode=WriteMode.APPEND)
    floe = CliRunner(env=platform.environment())
    looked = floe.invoke(main, ["maintain", str(product), "--json", "--dry-run"])
    assert looked.exit_code == 0, looked.output
    done = floe.invoke(main, ["maintain", str(product), "--json"])
    assert done.exit_code == 0, done.output
    tables = {one["table"]: one for one in json.loads(done.stdout)["tables"]}
    assert set(tables) == {f"{namespace}.plain", f"{namespace}.marts.orders"}
    assert all((one["files_before"], one["files_after"]) == (4, 1) for one in tables.values())
    assert all(one["snapshots"] == 0 for one in tables.values()), "they are younger than a day"
    assert catalog.load_table((namespace, "plain")).scan().to_arrow().num_rows == 4
    said = floe.invoke(main, ["maintain", str(product)])
    assert f"✓ {namespace}.marts.orders" in said.output
    assert platform.secrets["polaris-client-secret"] not in looked.output + done.output + said.output

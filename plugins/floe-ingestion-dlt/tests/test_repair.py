"""What a killed load left is taken away, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import fsspec  # type: ignore[import-untyped] # fsspec carries no types
from floe_ingestion_dlt import repair


def test_rows_of_incomplete_loads_go(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw._dlt_loads as select '1.1' as load_id")
        for table in ("orders", "merged", "_dlt_pipeline_state"):
            connection.sql("select unnest(['1.1', '2.2', '2.2']) as _dlt_load_id").create(f"raw.{table}")
        connection.execute("create table raw.by_hand as select 1 as id")
    assert repair.database(path, "raw", ["orders", "by_hand", "missing"]) == 2
    assert repair.database(path, "raw", ["orders"]) == 0
    with duckdb.connect(str(path)) as connection:
        for table, rows in {"orders": 1, "merged": 3, "_dlt_pipeline_state": 1, "by_hand": 1}.items():
            assert connection.table(f"raw.{table}").aggregate("count(*)").fetchone() == (rows,)


def test_tables_that_were_made_and_never_loaded_are_nothing_to_repair(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw; create table raw.orders (id int, _dlt_load_id varchar)")
    assert repair.database(path, "raw", ["orders"]) == 0


def test_no_database_is_nothing_to_repair(tmp_path: Path) -> None:
    assert repair.database(tmp_path / "none.duckdb", "raw", ["orders"]) == 0
    assert not list(tmp_path.iterdir())


def test_files_of_incomplete_loads_go(tmp_path: Path) -> None:
    root = tmp_path / "a lake"
    kept = [
        root / "raw" / "_dlt_loads" / "shop_orders__1.1.jsonl",
        root / "raw" / "_dlt_pipeline_state" / "shop_orders__2.2__abc.jsonl",
        root / "raw" / "orders" / "1.1.aaa.parquet",
        root / "raw" / "orders" / "2.2.bbb.parquet",
        root / "raw" / "orders" / "by hand.parquet",
        root / "raw" / "others" / "3.3.ccc.parquet",
    ]
    gone = [root / "raw" / "orders" / "3.3.ddd.parquet", root / "raw" / "orders" / "3.3.eee.parquet"]
    for path in kept + gone:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert repair.files(fsspec.filesystem("file"), str(root), "raw", ["orders", "missing"]) == 2
    assert sorted(path for path in root.rglob("*.*")) == sorted(kept)

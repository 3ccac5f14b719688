"""The products' tables in the platform's catalog, read by engines that did not write them (WU-5).

dbt's own models made them there, through DuckDB; here PyIceberg reads the catalog anew, and a plain DuckDB attaches it
by itself.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped] # publishes no types
import pytest
from floe_core.plugins import Lane
from floe_ops.products import Ask, BuildResult, build_product, declared, reading, truths
from floe_ops.products.compare import compare
from floe_ops.products.places import Places, slug

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.targets import Platform
    from pyiceberg.catalog import Catalog

pytestmark = [pytest.mark.catalog, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = sorted(path.parent.name for path in (ROOT / "demo").glob("*/floe.yaml"))
PRODUCT = "customer-360"
MART = ("customer_360", "marts", "mart_customer_360")
BIN = Path(sys.executable).parent
LIMIT_S = 240


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `dbt.demo` has just built all products, if it did so in this run; else a new folder."""
    started = int(os.environ.get("FLOE_RUN_STARTED") or 0)
    kept = [Places.of(product, lane).result for product in PRODUCTS for lane in Lane]
    if started and all(path.is_file() and path.stat().st_mtime_ns > started for path in kept):
        return kept[0].parents[1]
    return tmp_path_factory.mktemp("products")


def result(product: str, lane: Lane, home: Path, platform: Platform) -> BuildResult:
    """What the product came to in that lane; built where that was not done yet."""
    kept = Places.of(product, lane, home).result
    if kept.is_file():
        return BuildResult.read(kept)
    return build_product(ROOT / "demo" / product, Ask(lane, home=home), platform if lane is Lane.ICEBERG else None)


@pytest.fixture(params=PRODUCTS)
def built(request: pytest.FixtureRequest, platform: Platform, home: Path) -> BuildResult:
    """Each product, built in the Iceberg lane once for all tests of this module."""
    return result(request.param, Lane.ICEBERG, home, platform)


@pytest.fixture
def catalog(platform: Platform) -> Catalog:
    return reading.open_catalog(platform)


@pytest.mark.requirement("WU5-AC5")
def test_all_tables_are_in_the_catalog_and_equal_to_those_of_the_other_lane(
    built: BuildResult, platform: Platform, home: Path
) -> None:
    result(built.product, Lane.DUCKDB, home, platform)
    files, lake = compare(built.product, home=home)
    assert len(lake.tables) >= 6
    assert [table.name for table in files.tables] == [table.name for table in lake.tables]
    assert all(table.snapshot_id and table.location for table in lake.tables if table.rows)


@pytest.mark.requirement("WU5-AC5")
def test_two_engines_that_did_not_write_read_the_same(built: BuildResult, platform: Platform, home: Path) -> None:
    nodes = declared.nodes(Places.of(built.product, Lane.ICEBERG, home).dbt / "manifest.json")
    stored = [
        reading.Stored(one.name, nodes[one.name].table, (slug(built.product), *nodes[one.name].table.split(".")))
        for one in built.tables
    ]
    with reading.attached(platform, stored) as plain:
        found = reading.with_duckdb(plain, stored)
        planted = truths.load(ROOT / "demo" / built.product)
        answers = truths.check(plain, planted, where="the catalog, by a plain DuckDB")
    assert [line for mine, theirs in zip(built.tables, found, strict=True) for line in mine.differences(theirs)] == []
    assert answers == built.truths


@pytest.mark.requirement("WU5-AC5")
def test_the_output_ports_have_the_products_version(built: BuildResult, catalog: Catalog, home: Path) -> None:
    nodes = declared.nodes(Places.of(built.product, Lane.ICEBERG, home).dbt / "manifest.json")
    tagged = {}
    for one in built.tables:
        table = catalog.load_table((slug(built.product), *nodes[one.name].table.split(".")))
        tag = table.refs().get(f"v{built.released}")
        tagged[one.name] = None if tag is None else tag.snapshot_id
    ports = {name: snapshot for name, snapshot in tagged.items() if snapshot is not None}
    assert ports
    assert ports == {one.name: one.snapshot_id for one in built.tables if one.name in ports}


@pytest.mark.requirement("WU5-AC5")
def test_readers_see_whole_commits_and_the_history_stays(
    platform: Platform, catalog: Catalog, home: Path, tmp_path: Path
) -> None:
    first = result(PRODUCT, Lane.ICEBERG, home, platform)
    (before,) = (one for one in first.tables if one.name == MART[-1])
    seen: set[int] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.add(reading.open_catalog(platform).load_table(MART).scan().to_arrow().num_rows)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        again = build_product(ROOT / "demo" / PRODUCT, Ask(Lane.ICEBERG, home=tmp_path), platform)
    finally:
        ended.set()
        reader.join()
    assert seen == {before.rows}
    (after,) = (one for one in again.tables if one.name == MART[-1])
    assert after.differences(before) == []
    table = catalog.load_table(MART)
    assert table.refs()[f"v{again.released}"].snapshot_id == after.snapshot_id
    kept = [snapshot.snapshot_id for snapshot in table.snapshots()]
    assert {before.snapshot_id, after.snapshot_id} <= set(kept)
    assert table.scan(snapshot_id=before.snapshot_id).to_arrow().num_rows == before.rows


@pytest.mark.requirement("WU5-AC5")
def test_a_build_that_is_killed_in_the_catalog_leaves_whole_tables_and_the_next_one_succeeds(
    platform: Platform, catalog: Catalog, home: Path, tmp_path: Path
) -> None:
    before = {one.name: one.rows for one in result(PRODUCT, Lane.ICEBERG, home, platform).tables}
    words = [str(BIN / "invoke"), "dbt.demo", "--lane", "iceberg", "--product", PRODUCT]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        told = next((line for line in process.stdout if "model int_" in line), "")
        os.killpg(process.pid, signal.SIGKILL)
    assert told, "it was killed in the middle"
    for name, rows in before.items():
        for schema in ("raw", "intermediate", "marts"):
            identifier = (slug(PRODUCT), schema, name)
            if catalog.table_exists(identifier):
                assert catalog.load_table(identifier).scan().to_arrow().num_rows == rows, name
    again = build_product(ROOT / "demo" / PRODUCT, Ask(Lane.ICEBERG, home=tmp_path), platform)
    assert {one.name: one.rows for one in again.tables} == before


@pytest.fixture
def twins(tmp_path: Path, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Two names of products that nobody else has; their namespaces are taken away."""
    names = tuple(f"twin-{secrets.token_hex(3)}" for _ in range(2))
    yield names[0], names[1]
    for name in names:
        _drop(catalog, (slug(name),))


def _drop(catalog: Catalog, namespace: tuple[str, ...]) -> None:
    if not catalog.namespace_exists(namespace):
        return
    for below in catalog.list_namespaces(namespace):
        _drop(catalog, below)
    for table in catalog.list_tables(namespace):
        catalog.drop_table(table)
    catalog.drop_namespace(namespace)


def floe(*words: str, cwd: Path, platform: Platform) -> str:
    """What the installed program says."""
    env = {**os.environ, **platform.environment(), "OTEL_SDK_DISABLED": "true"}
    env.pop("FLOE_DUCKDB_PATH", None)
    done = subprocess.run(
        [str(BIN / "floe"), *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.requirement("WU5-AC5")
def test_products_with_equal_models_never_meet_and_others_tables_stay(
    twins: tuple[str, str], platform: Platform, catalog: Catalog, tmp_path: Path
) -> None:
    stranger = f"stranger_{secrets.token_hex(3)}"
    catalog.create_namespace(stranger)
    kept = catalog.create_table((stranger, "mart_daily_orders"), pa.schema([("n", pa.int64())]))
    kept.append(pa.table({"n": [1, 2, 3]}))
    try:
        for number, name in enumerate(twins):
            floe("init", name, cwd=tmp_path, platform=platform)
            product = tmp_path / name
            manifest = (ROOT / "demo" / "manifest.yaml").read_text(encoding="utf-8")
            manifest = manifest.replace("policy_enforcement_level: warn", "policy_enforcement_level: off")
            (product / "manifest.yaml").write_text(manifest, encoding="utf-8")
            if number:
                (seed,) = (product / "seeds").glob("*.csv")
                lines = seed.read_text(encoding="utf-8").splitlines(keepends=True)
                seed.write_text("".join(lines[:-1]), encoding="utf-8")
            said = floe("run", "--lane", "iceberg", cwd=product, platform=platform)
            assert "✓ iceberg mart_daily_orders" in said
            assert "snapshot" in said
        one, two = (catalog.load_table((slug(name), "mart_daily_orders")).scan().to_arrow() for name in twins)
        assert one.num_rows > 0
        assert sum(one["orders"].to_pylist()) == sum(two["orders"].to_pylist()) + 1
        said = floe("test", "--lane", "iceberg", cwd=tmp_path / twins[0], platform=platform)
        assert "released as version 0.1.0" in said
        assert "v0.1.0" in catalog.load_table((slug(twins[0]), "mart_daily_orders")).refs()
        assert "v0.1.0" not in catalog.load_table((slug(twins[1]), "mart_daily_orders")).refs()
        assert catalog.load_table((stranger, "mart_daily_orders")).metadata_location == kept.metadata_location
    finally:
        _drop(catalog, (stranger,))

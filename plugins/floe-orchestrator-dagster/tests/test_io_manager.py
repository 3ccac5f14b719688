"""The IO manager against a real PyIceberg catalog: what assets return is in tables, and comes back."""

# No postponed annotations here: Dagster reads those of assets.
import re
import runpy
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
from dagster import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    AssetsDefinition,
    DagsterInstance,
    DagsterRun,
    DailyPartitionsDefinition,
    Definitions,
    ExecuteInProcessResult,
    InitResourceContext,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    OutputContext,
    RetryPolicy,
    StaticPartitionsDefinition,
    asset,
    build_output_context,
    materialize,
)
from dagster._core.definitions.scoped_resources_builder import ScopedResourcesBuilder
from floe_core.plugins.orchestrator import OrchestratorError
from floe_iceberg.testing import delete_positions
from floe_orchestrator_dagster.io_manager import IcebergIOManager, described, table_of
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.resources.iceberg import IcebergAccess
from floe_orchestrator_dagster.tracing import Tracing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pyiceberg.catalog.sql import SqlCatalog

ACCESS = IcebergAccess(catalog_plugin=Chosen(plugin="polaris"))
TABLE = ("shop", "orders")
KEY = AssetKey(TABLE)
DAYS = DailyPartitionsDefinition("2026-06-01")
LANDS = StaticPartitionsDefinition(["de", "at"])


class LocalIO(IcebergIOManager):
    """The IO manager over a catalog in a folder, opened anew each time, as another process would."""

    folder: str

    def catalog(self) -> SqlCatalog:
        return SqlCatalog(
            "test", uri=f"sqlite:///{self.folder}/catalog.db", warehouse=f"file://{self.folder}/warehouse"
        )


@pytest.fixture
def io(tmp_path: Path) -> LocalIO:
    return LocalIO(access=ACCESS, folder=str(tmp_path))


def rows(*ids: int, amount: int = 1) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.int64()), "amount": pa.array([amount] * len(ids), pa.int64())})


def run(io: LocalIO, *assets: AssetsDefinition, **more: Any) -> ExecuteInProcessResult:
    return materialize(list(assets), resources={"io_manager": io}, **more)


def orders(value: Any, **more: Any) -> AssetsDefinition:
    """The asset `shop/orders`, which returns `value`."""

    def made() -> Any:
        return value() if callable(value) else value

    definition: AssetsDefinition = asset(key=KEY, **more)(made)
    return definition


def held(catalog: SqlCatalog, *columns: str) -> list[tuple[Any, ...]]:
    found = catalog.load_table(TABLE).scan().to_arrow().to_pydict()
    return sorted(zip(*(found[name] for name in columns or ("id",)), strict=True))


@pytest.mark.requirement("WU3-AC10")
@pytest.mark.duckdb
def test_what_an_asset_returns_is_in_its_table_and_dagster_is_told(io: LocalIO, catalog: SqlCatalog) -> None:
    result = run(io, orders(rows(1, 2, 3)))
    assert held(catalog) == [(1,), (2,), (3,)]
    (event,) = result.asset_materializations_for_node("shop__orders")
    told: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
    table = catalog.load_table(TABLE)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert (told["dagster/row_count"], told["iceberg/rows_written"]) == (3, 3)
    assert told["dagster/table_name"] == "shop.orders"
    assert told["dagster/uri"] == table.location()
    assert told["iceberg/snapshot_id"] == str(snapshot.snapshot_id)
    assert [(one.name, one.type) for one in told["dagster/column_schema"].columns] == [
        ("id", "long"),
        ("amount", "long"),
    ]
    assert snapshot.summary is not None
    assert snapshot.summary["dagster.run-id"] == result.run_id
    assert snapshot.summary["dagster.asset"] == "shop/orders"


@pytest.mark.requirement("WU3-AC10")
@pytest.mark.duckdb
def test_rows_that_an_engine_deleted_by_position_are_not_told(io: LocalIO, catalog: SqlCatalog) -> None:
    run(io, orders(rows(1, 2, 3)))
    table = catalog.load_table(TABLE)
    delete_positions(table, {2})
    assert described(table)["dagster/row_count"] == len(held(catalog)) == 2


class Frame:
    """Like a data frame: it hands out an Arrow stream."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class LazyFrame:
    def collect(self) -> Frame:
        return Frame(rows(1, 2))


@pytest.mark.parametrize(
    "value",
    [
        lambda: pa.RecordBatchReader.from_batches(rows(1).schema, [*rows(1).to_batches(), *rows(2).to_batches()]),
        lambda: Frame(rows(1, 2)),
        LazyFrame,
        lambda: rows(1, 2).combine_chunks().to_batches()[0],
    ],
    ids=["reader", "frame", "lazy", "batch"],
)
def test_readers_and_frames_are_taken(io: LocalIO, catalog: SqlCatalog, value: Any) -> None:
    assert run(io, orders(value)).success
    assert held(catalog) == [(1,), (2,)]


def test_the_mode_is_what_the_metadata_says(io: LocalIO, catalog: SqlCatalog) -> None:
    upsert = {"iceberg/mode": "upsert", "iceberg/keys": ["id"], "iceberg/partition_by": ["bucket(4, id)"]}
    run(io, orders(rows(1, 2), metadata=upsert))
    run(io, orders(rows(2, 3, amount=7), metadata=upsert))
    assert held(catalog, "id", "amount") == [(1, 1), (2, 7), (3, 7)]
    assert [str(field.transform) for field in catalog.load_table(TABLE).spec().fields] == ["bucket[4]"]
    run(io, orders(rows(9), metadata={"iceberg/mode": "append"}))
    assert len(held(catalog)) == 4
    run(io, orders(rows(5)))
    assert held(catalog) == [(5,)]


def test_columns_that_come_and_go_change_the_table(io: LocalIO, catalog: SqlCatalog) -> None:
    run(io, orders(rows(1)))
    run(io, orders(pa.table({"id": pa.array([1, 2], pa.int64()), "note": ["a", "b"]})))
    assert catalog.load_table(TABLE).schema().column_names == ["id", "note"]
    assert held(catalog, "id", "note") == [(1, "a"), (2, "b")]


def test_a_day_replaces_its_own_rows_only(io: LocalIO, catalog: SqlCatalog) -> None:
    @asset(key=KEY, partitions_def=DAYS, metadata={"partition_expr": "at", "iceberg/partition_by": ["day(at)"]})
    def made(context: AssetExecutionContext) -> pa.Table:
        day = datetime.fromisoformat(context.partition_key).replace(tzinfo=UTC)
        count = context.run.tags.get("count", "2")
        stamps = [day.replace(hour=hour) for hour in range(int(count))]
        return pa.table({"at": pa.array(stamps, pa.timestamp("us", tz="UTC"))})

    for day in ("2026-06-01", "2026-06-02"):
        run(io, made, partition_key=day)
    result = run(io, made, partition_key="2026-06-01", tags={"count": "3"})
    days = [at.date() for (at,) in held(catalog, "at")]
    assert days == [date(2026, 6, 1)] * 3 + [date(2026, 6, 2)] * 2
    (event,) = result.asset_materializations_for_node("shop__orders")
    assert event.partition == "2026-06-01"
    assert event.metadata["dagster/partition_row_count"].value == 3
    assert event.metadata["dagster/row_count"].value == 5


@pytest.mark.parametrize(
    ("kind", "value"),
    [(pa.date32(), date(2026, 6, 1)), (pa.timestamp("us"), datetime(2026, 6, 1, 23, 59))],  # noqa: DTZ001 - has none
)
def test_dates_and_timestamps_without_a_zone_have_windows_too(
    io: LocalIO, catalog: SqlCatalog, kind: Any, value: Any
) -> None:
    made = orders(pa.table({"at": pa.array([value], kind)}), partitions_def=DAYS, metadata={"partition_expr": "at"})
    for _ in range(2):
        assert run(io, made, partition_key="2026-06-01").success
    assert held(catalog, "at") == [(value,)]
    with pytest.raises(OrchestratorError, match="asset shop/orders cannot be written") as caught:
        run(io, made, partition_key="2026-06-02")
    assert "outside" in caught.value.why


def test_static_and_several_dimensions_have_their_own_columns(io: LocalIO, catalog: SqlCatalog) -> None:
    @asset(
        key=KEY,
        partitions_def=MultiPartitionsDefinition({"day": DAYS, "land": LANDS}),
        metadata={"partition_expr": {"day": "at", "land": "land"}},
    )
    def made(context: AssetExecutionContext) -> pa.Table:
        key = context.partition_key
        assert isinstance(key, MultiPartitionKey)
        part = key.keys_by_dimension
        return pa.table({"at": pa.array([date.fromisoformat(part["day"])], pa.date32()), "land": [part["land"]]})

    for _ in range(2):
        for land in ("de", "at"):
            run(io, made, partition_key=MultiPartitionKey({"day": "2026-06-01", "land": land}))
    assert held(catalog, "land") == [("at",), ("de",)]


def test_an_input_reads_its_columns_and_its_partitions_only(io: LocalIO, catalog: SqlCatalog) -> None:
    seen: list[Any] = []

    @asset(key=KEY, partitions_def=LANDS, metadata={"partition_expr": "land"})
    def made(context: AssetExecutionContext) -> pa.Table:
        return pa.table({"land": [context.partition_key] * 2, "id": [1, 2], "dear": [1.0, 2.0]})

    @asset(partitions_def=LANDS, ins={"orders": AssetIn(KEY, metadata={"columns": ["land", "id"]})})
    def read(orders: pa.Table) -> None:
        seen.append(orders)

    @asset(partitions_def=LANDS, ins={"orders": AssetIn(KEY)})
    def streamed(orders: pa.RecordBatchReader) -> None:
        seen.append(orders)

    with DagsterInstance.ephemeral() as instance:
        for land in ("de", "at"):
            run(io, made, partition_key=land, instance=instance)
        run(io, made, read, streamed, partition_key="de", selection=[read, streamed], instance=instance)
    assert len(held(catalog)) == 4
    tables = [one if isinstance(one, pa.Table) else one.read_all() for one in seen]
    assert {tuple(table.column_names) for table in tables} == {("land", "id"), ("land", "id", "dear")}
    assert all(set(table["land"].to_pylist()) == {"de"} and table.num_rows == 2 for table in tables)
    assert {type(one) for one in seen} == {pa.Table, pa.RecordBatchReader}


def test_a_step_that_is_tried_again_appends_once(io: LocalIO, catalog: SqlCatalog) -> None:
    lost: list[str] = []

    class LosesTheAnswer(LocalIO):
        """Fails once after the commit, before Dagster is told."""

        def handle_output(self, context: OutputContext, obj: Any) -> None:
            super().handle_output(context, obj)
            if not lost:
                lost.append(context.run_id)
                raise RuntimeError("the connection to Dagster is lost")

    made = orders(rows(1, 2), metadata={"iceberg/mode": "append"}, retry_policy=RetryPolicy(max_retries=1))
    result = materialize([made], resources={"io_manager": LosesTheAnswer(access=ACCESS, folder=io.folder)})
    assert result.success
    assert lost == [result.run_id]
    assert held(catalog) == [(1,), (2,)]
    run(io, made)
    assert len(held(catalog)) == 4  # another run adds its own


TRIES = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["de", "at", None]), st.booleans()), min_size=1, max_size=8
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(tries=TRIES)
def test_however_often_a_run_tries_a_partition_its_rows_are_there_once(
    io: LocalIO, catalog: SqlCatalog, tries: list[tuple[str, str | None, bool]]
) -> None:
    """Whether a step is retried in its run, or by a run that resumes it after a failure."""
    if catalog.namespace_exists("shop") and catalog.table_exists(TABLE):  # of the example before
        catalog.drop_table(TABLE)
    for number, (root, land, resumed) in enumerate(tries):
        run_id = f"{root}-{number}" if resumed else root
        tags = {"dagster/is_resume_retry": "true", "dagster/root_run_id": root} if resumed else {}
        manager = LocalIO(access=ACCESS, folder=io.folder)
        manager.setup_for_execution(
            InitResourceContext(
                resource_config=None,
                resource_def=None,
                all_resource_defs={},
                resources=ScopedResourcesBuilder().build(None),
                dagster_run=DagsterRun(job_name="shop", run_id=run_id, tags=tags),
            )
        )
        partition: dict[str, Any] = {"partition_key": land, "asset_partitions_def": LANDS} if land else {}
        output = build_output_context(
            asset_key=KEY, run_id=run_id, definition_metadata={"iceberg/mode": "append"}, **partition
        )
        manager.handle_output(output, rows(1))
    assert catalog.load_table(TABLE).scan().count() == len({(root, land) for root, land, _ in tries})


@pytest.mark.parametrize(
    ("value", "more", "why"),
    [
        (42, {}, "hands out no Arrow stream"),
        (rows(1), {"metadata": {"iceberg/mode": "merge"}}, "the modes are append, overwrite, upsert"),
        (rows(1), {"metadata": {"iceberg/mode": "upsert"}}, "an upsert needs keys"),
        (rows(1), {"metadata": {"iceberg/partition_by": ["day(nothing)"]}}, "no column nothing"),
        (rows(1), {"partitions_def": LANDS}, "does not say by which column"),
        (rows(1), {"partitions_def": LANDS, "metadata": {"partition_expr": "land"}}, "their columns are id, amount"),
        (lambda: pa.RecordBatchReader.from_batches(rows(1).schema, broken()), {}, "ValueError"),
    ],
)
def test_what_cannot_be_written_names_the_asset_and_the_table(
    io: LocalIO, value: Any, more: dict[str, Any], why: str
) -> None:
    partition = {"partition_key": "de"} if "partitions_def" in more else {}
    with pytest.raises(OrchestratorError, match="asset shop/orders cannot be written") as caught:
        run(io, orders(value, **more), **partition)
    assert "shop.orders" in caught.value.where
    assert why in caught.value.why
    assert "hunter2" not in str(caught.value)


def broken() -> Iterator[pa.RecordBatch]:
    yield from rows(1).to_batches()
    raise ValueError("hunter2")


def test_an_input_that_is_not_there_names_the_asset_and_the_table(io: LocalIO) -> None:
    @asset(ins={"orders": AssetIn(KEY)})
    def read(orders: pa.Table) -> None: ...

    with pytest.raises(OrchestratorError, match="asset shop/orders cannot be read") as caught:
        run(io, orders(rows(1)), read, selection=[read])
    assert caught.value.where == "table shop.orders"


def test_an_asset_that_returns_nothing_writes_nothing(io: LocalIO, catalog: SqlCatalog) -> None:
    assert run(io, orders(None)).success
    assert not catalog.namespace_exists("shop")


def test_a_key_of_one_part_has_no_place() -> None:
    with pytest.raises(OrchestratorError, match="orders has no place in the catalog"):
        table_of(AssetKey("orders"))


def test_a_write_is_a_span_with_its_asset_and_table(
    io: LocalIO, untraced: Tracing, spans: InMemorySpanExporter
) -> None:
    manager = LocalIO(access=ACCESS, folder=io.folder, tracing=untraced)
    result = materialize([orders(rows(1))], resources={"io_manager": manager})
    (span,) = [one for one in spans.get_finished_spans() if one.name == "iceberg write orders"]
    assert span.attributes is not None
    assert span.attributes["dagster.asset_key"] == "shop/orders"
    assert span.attributes["iceberg.table"] == "shop.orders"
    assert span.attributes["dagster.run_id"] == result.run_id
    assert span.attributes["floe.product.name"] == "tiny-product"


HOW_TO = Path(__file__).parents[3] / "docs/how-to/orchestrate.md"
FENCE = re.compile(r"^```python (?P<file>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_assets_of_the_how_to_page_become_tables(
    io: LocalIO, catalog: SqlCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {block["file"]: block["text"] for block in FENCE.finditer(HOW_TO.read_text(encoding="utf-8"))}
    assert set(files) == {"assets.py", "definitions.py"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = runpy.run_path(str(tmp_path / "definitions.py"))
    assert isinstance(made["defs"], Definitions)
    assert isinstance(made["defs"].resources, dict)
    assert isinstance(made["defs"].resources["iceberg_io"], IcebergIOManager)
    own = runpy.run_path(str(tmp_path / "assets.py"))
    for _ in range(2):
        for name, day in (("orders", "2026-06-02"), ("customers", None)):
            assert materialize([own[name]], resources={"iceberg_io": io}, partition_key=day).success
    assert catalog.load_table(("shop", "orders")).scan().to_arrow().to_pylist() == [
        {"sold_on": date(2026, 6, 2), "amount": 20}
    ]
    assert catalog.load_table(("shop", "customers")).scan().count() == 2

"""One demo product, built in one lane and held to its planted truths.

`floe_core.running` does the work, as `floe run` and `floe test` do: this adds where things are kept, the running
platform, and what nobody can promise for a product that is not a demo: known answers, equal for all who read.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from floe_core.errors import UsageError
from floe_core.plugins import Lane, PluginType
from floe_core.running import Listener, Order, Work, carry_out, releasing
from floe_core.telemetry import span

from floe_ops.products import declared, facts, reading, scaling, truths
from floe_ops.products.places import DATABASE_ENV, Places, slug
from floe_ops.products.result import BuildResult, ModelTiming, Step, TableFacts, Truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb
    from floe_core.compilation import CompiledArtifacts
    from floe_core.enforcement.result import EnforcementResultSummary
    from floe_core.plugins import DbtNode, DBTPlugin
    from floe_core.running import Outcome
    from floe_core.spec.product import FloeSpec

    from floe_ops.targets import Platform

DEFAULT_SCHEMA = "main"


@dataclass(frozen=True)
class Ask:
    """What is asked of a build.

    Attributes:
        lane: `duckdb`, or `iceberg`, whose tables are read back from the catalog by two engines.
        scale: How many times the committed facts; 1 builds the committed seeds.
        retry: Do only what the last build left undone, and what depends on it.
        home: Where to keep what is built; `.floe/products` where it is None.
    """

    lane: Lane = Lane.DUCKDB
    scale: int = 1
    retry: bool = False
    home: Path | None = None


def build_product(
    product_dir: Path, ask: Ask, platform: Platform | None = None, *, listener: Listener | None = None
) -> BuildResult:
    """Build the product in `product_dir` and hold it to its planted truths.

    Args:
        product_dir: Folder with `floe.yaml`, the dbt project and `truths.yaml`.
        ask: The lane, and what of it.
        platform: The running platform; needed in the Iceberg lane.
        listener: Hears how it goes on.

    Raises:
        UsageError: The Iceberg lane was asked for without a platform, or there is nothing to be tried again.
        DbtError: dbt failed; names the model, its SQL's place and the database's words.
        WrongStateError: A truth, a promise, or what was read back is wrong.
        NotReadyError: Another build of this product is running; names its process.
        FloeError: The product cannot be compiled, or the catalog refuses.
    """
    from floe_core.spec.load import load_product

    if ask.lane is Lane.ICEBERG and platform is None:
        raise UsageError("the Iceberg lane needs a running platform", remedy="invoke platform.up polaris.bootstrap")
    product_dir = product_dir.resolve()
    spec = load_product(product_dir).model
    build = _Build(product_dir, spec, ask, platform, Places.of(spec.metadata.name, ask.lane, ask.home), listener)
    attributes = {"floe.product.name": spec.metadata.name, "floe.lane": ask.lane.value}
    with span(f"build {spec.metadata.name}", **attributes), build.surroundings():
        result = build.run()
        result.write(build.places.result)
    return result


@dataclass
class _Build:
    """The state of one build."""

    product_dir: Path
    spec: FloeSpec
    ask: Ask
    platform: Platform | None
    places: Places
    listener: Listener | None
    steps: list[Step] = field(default_factory=list)

    def run(self) -> BuildResult:
        started = time.monotonic()
        rebuilt = self.places.database.exists()
        data, variables = self.product_dir, {}
        if self.ask.scale > 1:
            with self._step("scale"):
                data = scaling.generated(self.product_dir, self.places.scaled, self.ask.scale)
            variables = {"scaled_seeds": str(data)}
        questions, lane = truths.load(data), self.places.database.parent
        order = Order(
            work=Work.BUILD,
            product=self.product_dir,
            lane=self.ask.lane,
            full_refresh=scaling.begun(lane, self.ask.scale),
            retry=self.ask.retry,
            variables=variables,
            target=self.places.target,
            traced=False,
        )
        outcome = carry_out(order, listener=self.listener)
        if outcome.failure is not None:
            raise outcome.failure
        scaling.built(lane, self.ask.scale)
        self.steps += [Step(name=one.name, seconds=round(one.seconds, 3)) for one in outcome.steps]
        tables, answers = self._verified(questions)
        return self._result(outcome, rebuilt, tables, answers, time.monotonic() - started)

    def _result(
        self,
        outcome: Outcome,
        rebuilt: bool,  # noqa: FBT001 - as above
        tables: tuple[TableFacts, ...],
        answers: tuple[Truth, ...],
        wall_s: float,
    ) -> BuildResult:
        artifacts = outcome.artifacts
        tests = [node for node in outcome.nodes if node.resource_type in {"test", "unit_test"}]
        return BuildResult(
            product=self.spec.metadata.name,
            lane=self.ask.lane,
            source=artifacts.metadata.source_hash,
            engine=outcome.engine,
            rebuilt=rebuilt,
            enforcement=_enforcement(artifacts.enforcement_result),
            steps=tuple(self.steps),
            models=_timings(outcome.nodes),
            tests_passed=sum(node.status == "pass" for node in tests),
            truths=answers,
            tables=tables,
            released=outcome.released,
            scale=self.ask.scale,
            wall_s=round(wall_s, 3),
        )

    def _verified(self, questions: truths.Truths) -> tuple[tuple[TableFacts, ...], tuple[Truth, ...]]:
        """The tables and the answers, in the words of engines that did not build them."""
        manifest = self.places.dbt / "manifest.json"
        ports = declared.port_tables(self.spec, manifest)
        nodes = declared.nodes(manifest)
        stored = [
            reading.Stored(name, node.table, self._identifier(node.table))
            for name, node in nodes.items()
            if node.stored
        ]
        if self.platform is None:
            with self._step("truths"), _opened(self.places.database) as connection:
                declared.check_ports(connection, self.spec, ports)
                tables = tuple(facts.of_table(connection, one.table, one.name) for one in stored)
                return tables, self._answers(connection, questions, "the database file")
        where = f"{self.platform.catalog}.{slug(self.spec.metadata.name)}"
        with self._step("read back"):
            tables = reading.with_pyiceberg(self.platform, stored, self.places.read_back)
            declared.check_partitions(nodes, {one.name: one.partitions for one in tables}, where=where)
        with self._step("truths"), ExitStack() as stack:
            copy = stack.enter_context(_opened(self.places.read_back))
            plain = stack.enter_context(reading.attached(self.platform, stored))
            reading.agreed(tables, reading.with_duckdb(plain, stored), where=where)
            declared.check_ports(copy, self.spec, ports)
            self._answers(copy, questions, "the catalog, read by PyIceberg")
            return tables, self._answers(plain, questions, "the catalog, read by a plain DuckDB")

    def _identifier(self, table: str) -> tuple[str, ...]:
        schema, name = table.split(".", 1)
        return releasing.identifier(slug(self.spec.metadata.name), schema, name, default_schema=DEFAULT_SCHEMA)

    def _answers(
        self, connection: duckdb.DuckDBPyConnection, questions: truths.Truths, reader: str
    ) -> tuple[Truth, ...]:
        return truths.check(connection, questions, where=f"{questions.product}, lane {self.ask.lane}, {reader}")

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """The variables that the demo's manifest and the engine read, for this process as long as the block runs."""
        given = self.platform.environment() if self.platform is not None and self.ask.lane is Lane.ICEBERG else {}
        with environment({**given, DATABASE_ENV: str(self.places.database)}):
            yield

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        from floe_core.running import Step as Ended

        ears = self.listener or Listener()
        ears.began(name)
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self.steps.append(Step(name=name, seconds=round(seconds, 3)))
        ears.ended(Ended(name, seconds))


@contextmanager
def environment(given: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the block runs, and give back what was there."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def engine(artifacts: CompiledArtifacts) -> DBTPlugin[Any]:
    """The dbt engine that the platform chose, configured as it was compiled."""
    from floe_core.registry import Registry

    chosen = artifacts.plugins[PluginType.DBT]
    plugin = Registry().create(PluginType.DBT, chosen.name, chosen.config).instance
    return cast("DBTPlugin[Any]", plugin)  # the registry has checked that it is one


@contextmanager
def _opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        yield connection


def _timings(nodes: tuple[DbtNode, ...]) -> tuple[ModelTiming, ...]:
    ran = [
        (node.finished_at, node.name, (node.finished_at - node.started_at).total_seconds())
        for node in nodes
        if node.resource_type == "model" and node.started_at and node.finished_at
    ]
    return tuple(ModelTiming(name=name, seconds=round(took, 3)) for _, name, took in sorted(ran))


def _enforcement(result: EnforcementResultSummary) -> str:
    verdict = "passed" if result.passed else "failed"
    return (
        f"{verdict} at level {result.enforcement_level}, {result.error_count} errors, {result.warning_count} warnings"
    )

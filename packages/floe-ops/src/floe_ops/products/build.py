"""One product, built in one lane: compile, deps, seed, run, test, docs, truths, and the catalog in the Iceberg lane.

Everything is kept under `.floe/products/<name>/<lane>/`, nothing in the product's own folder. A build that was killed
is made good by the next one: dbt replaces tables in a transaction, the catalog takes a table in one commit, and the
result appears last, in one step.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from floe_core.errors import UsageError
from floe_core.plugins import DbtCommand, DBTPlugin, DbtRequest, Lane, PluginType
from floe_core.telemetry import span

from floe_ops import project
from floe_ops.products import declared, facts, truths
from floe_ops.products.holding import held
from floe_ops.products.result import BuildResult, ModelTiming, Step, TableFacts, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_core.compilation import CompiledArtifacts
    from floe_core.enforcement.result import EnforcementResultSummary
    from floe_core.plugins import DbtNode, DbtResult
    from floe_core.spec.product import FloeSpec

    from floe_ops.targets import Platform

SEQUENCE = (DbtCommand.DEPS, DbtCommand.SEED, DbtCommand.RUN, DbtCommand.TEST, DbtCommand.DOCS)
DATABASE_ENV = "FLOE_DUCKDB_PATH"


@dataclass(frozen=True)
class Places:
    """Where a build in one lane keeps what it makes."""

    lane_dir: Path
    result: Path
    database: Path
    target: Path
    artifacts: Path
    profiles: Path
    read_back: Path

    @classmethod
    def of(cls, name: str, lane: Lane, home: Path | None = None) -> Places:
        """The places of product `name`; below `.floe/products` unless `home` says otherwise."""
        folder = (home or project.state() / "products") / name
        lane_dir = folder / lane.value
        return cls(
            lane_dir=lane_dir,
            result=folder / f"{lane.value}.json",
            database=lane_dir / f"{slug(name)}.duckdb",
            target=lane_dir / "target",
            artifacts=lane_dir / "compiled_artifacts.json",
            profiles=lane_dir / "profiles",
            read_back=lane_dir / "read_back.duckdb",
        )


def slug(name: str) -> str:
    """A product's name as namespaces and databases spell it: `customer-360` is `customer_360`."""
    return name.replace("-", "_")


def build_product(
    product_dir: Path,
    lane: Lane | str,
    platform: Platform | None = None,
    *,
    home: Path | None = None,
    progress: Callable[[str], None] = lambda _line: None,
) -> BuildResult:
    """Build the product in `product_dir` and hold it to its planted truths.

    Args:
        product_dir: Folder with `floe.yaml`, the dbt project and `truths.yaml`.
        lane: `duckdb`, or `iceberg`, which also publishes the output ports to the catalog and reads them back.
        platform: The running platform; needed in the Iceberg lane.
        home: Where to keep what is built; `.floe/products` by default.
        progress: Told a line for each thing that ended.

    Raises:
        UsageError: The Iceberg lane was asked for without a platform.
        DbtError: dbt failed; names the model, its SQL's place and the database's words.
        WrongStateError: A truth, a promise, or what was read back is wrong.
        NotReadyError: Another build of this product does not end.
        FloeError: The product cannot be compiled, or the catalog refuses.
    """
    from floe_core.spec.load import load_product

    lane = Lane(lane)
    if lane is Lane.ICEBERG and platform is None:
        raise UsageError("the Iceberg lane needs a running platform", remedy="invoke platform.up polaris.bootstrap")
    product_dir = product_dir.resolve()
    spec = load_product(product_dir).model
    places = Places.of(spec.metadata.name, lane, home)
    places.lane_dir.mkdir(parents=True, exist_ok=True)
    attributes = {"floe.product.name": spec.metadata.name, "floe.lane": lane.value}
    with held(places.lane_dir / "build.lock", spec.metadata.name), span(f"build {spec.metadata.name}", **attributes):
        result = _Build(product_dir, spec, lane, places, platform, progress).run()
        result.write(places.result)
    return result


@dataclass
class _Build:
    """The state of one build."""

    product_dir: Path
    spec: FloeSpec
    lane: Lane
    places: Places
    platform: Platform | None
    progress: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)

    def run(self) -> BuildResult:
        started = time.monotonic()
        questions = truths.load(self.product_dir)
        rebuilt = self.places.database.exists()
        with self._step("compile"):
            artifacts = self._compile()
        dbt = engine(artifacts)
        outcomes = {command: self._run(dbt, command) for command in SEQUENCE}
        with self._step("truths"):
            tables, facts_found = self._built_tables()
            answers = self._answers(questions, self.places.database)
        if self.platform is not None and self.lane is Lane.ICEBERG:
            facts_found = self._publish(self.platform, artifacts, tables)
            answers = self._answers(questions, self.places.read_back)
        return BuildResult(
            product=self.spec.metadata.name,
            lane=self.lane,
            source=artifacts.metadata.source_hash,
            engine=dbt.engine_version(),
            rebuilt=rebuilt,
            enforcement=_enforcement(artifacts.enforcement_result),
            steps=tuple(self.steps),
            models=_timings(outcomes[DbtCommand.RUN]),
            tests_passed=sum(node.status == "pass" for node in outcomes[DbtCommand.TEST].nodes),
            truths=answers,
            tables=facts_found,
            wall_s=round(time.monotonic() - started, 3),
        )

    def _compile(self) -> CompiledArtifacts:
        from floe_core.compilation import compile_product
        from floe_core.compilation.write import write_atomic

        artifacts = compile_product(self.product_dir, output=self.places.artifacts)
        # JSON is YAML: dbt reads the compiled profile, so what the manifest says of the engine is what runs.
        write_atomic(self.places.profiles / "profiles.yml", json.dumps(artifacts.dbt_profiles, indent=2) + "\n")
        return artifacts

    def _run(self, dbt: DBTPlugin[Any], command: DbtCommand) -> DbtResult:
        with self._step(command.value):
            result = dbt.run(request(self.product_dir, self.places, self.lane, command), on_node=self._told)
            result.raise_for_failure()
        return result

    def _told(self, node: DbtNode) -> None:
        if node.resource_type in {"model", "seed"} and node.started_at and node.finished_at:
            seconds = (node.finished_at - node.started_at).total_seconds()
            rows = f"  {node.rows} rows" if node.rows is not None else ""
            self.progress(f"  {node.resource_type} {node.name}: {node.status}{rows}  {seconds:.2f} s")

    def _built_tables(self) -> tuple[dict[str, str], tuple[TableFacts, ...]]:
        import duckdb

        tables = declared.port_tables(self.spec, self.places.target / "manifest.json")
        with duckdb.connect(str(self.places.database), read_only=True) as connection:
            declared.check_ports(connection, self.spec, tables)
            return tables, tuple(facts.of_table(connection, table, name) for name, table in tables.items())

    def _answers(self, questions: truths.Truths, database: Path) -> tuple[Truth, ...]:
        import duckdb

        with duckdb.connect(str(database), read_only=True) as connection:
            return truths.check(connection, questions, where=f"{questions.product}, lane {self.lane}, {database.name}")

    def _publish(
        self, platform: Platform, artifacts: CompiledArtifacts, tables: dict[str, str]
    ) -> tuple[TableFacts, ...]:
        import duckdb

        from floe_ops.products.publish import Publisher

        name = self.spec.metadata.name
        noted = {"floe.product": name, "floe.product-version": self.spec.metadata.version}
        noted["floe.source"] = artifacts.metadata.source_hash
        with self._step("publish"), duckdb.connect(str(self.places.database), read_only=True) as connection:
            publisher = Publisher(platform, slug(name), noted)
            published = publisher.publish(connection, tables, self._committed)
        with self._step("read back"):
            publisher.read_back(published, tables, self.places.read_back)
        return published

    def _committed(self, fact: TableFacts) -> None:
        self.progress(f"  iceberg {fact.name}: {fact.rows} rows, snapshot {fact.snapshot_id}")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        seconds = round(time.monotonic() - started, 3)
        self.steps.append(Step(name=name, seconds=seconds))
        self.progress(f"{name}  {seconds:.2f} s")


def engine(artifacts: CompiledArtifacts) -> DBTPlugin[Any]:
    """The dbt engine that the platform chose, configured as it was compiled."""
    from floe_core.registry import Registry

    chosen = artifacts.plugins[PluginType.DBT]
    plugin = Registry().create(PluginType.DBT, chosen.name, chosen.config).instance
    return cast("DBTPlugin[Any]", plugin)  # the registry has checked that it is one


def request(product_dir: Path, places: Places, lane: Lane, command: DbtCommand) -> DbtRequest:
    """What dbt is asked, so that it writes below the lane's folder only."""
    return DbtRequest(
        command=command,
        project_dir=product_dir,
        profiles_dir=places.profiles,
        target=lane.value,
        target_path=places.target,
        environment={DATABASE_ENV: str(places.database)},
    )


def _timings(result: DbtResult) -> tuple[ModelTiming, ...]:
    ran = [node for node in result.nodes if node.started_at and node.finished_at]
    ran.sort(key=lambda node: (node.finished_at, node.name))
    return tuple(
        ModelTiming(name=node.name, seconds=round((node.finished_at - node.started_at).total_seconds(), 3))
        for node in ran
        if node.started_at and node.finished_at
    )


def _enforcement(result: EnforcementResultSummary) -> str:
    verdict = "passed" if result.passed else "failed"
    return (
        f"{verdict} at level {result.enforcement_level}, {result.error_count} errors, {result.warning_count} warnings"
    )

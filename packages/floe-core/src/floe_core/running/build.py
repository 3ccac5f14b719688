"""Runs, tests or builds one product through the dbt plugin of its platform, in this process.

Compile, then dbt's commands in their order; every other chosen plugin does its part around them. Everything is kept
in one folder, by default the product's `target/`. A build that was killed is made good by the next one: dbt replaces
tables in a transaction, and every file that another program reads appears whole or not at all.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from floe_core.errors import FloeError, UsageError
from floe_core.plugins import DbtCommand, DbtRequest, Lane, PluginType, TargetRequest
from floe_core.running import alerting, ingesting, judging, releasing, resuming, semantic
from floe_core.running.crew import KEEPERS, LOADERS, RUNNERS, Crew, aboard
from floe_core.running.holding import held
from floe_core.running.lineage import Emitter, Story
from floe_core.running.order import SEQUENCE, Order, Work
from floe_core.running.outcome import Listener, Outcome, Step
from floe_core.running.places import Places
from floe_core.running.publishing import Publisher
from floe_core.running.surroundings import variables
from floe_core.running.tracing import traced
from floe_core.spec.problems import nearest
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import (
        CatalogPlugin,
        ComputePlugin,
        DbtResult,
        IngestionPlugin,
        QualityReport,
        SemanticLayerPlugin,
        SemanticResult,
        TableState,
    )
    from floe_core.registry import Registry
    from floe_core.running.resuming import Undone


def carry_out(order: Order, *, registry: Registry | None = None, listener: Listener | None = None) -> Outcome:
    """Run, test or build a product; what dbt finds wrong is told in the outcome.

    Args:
        order: What is asked for.
        registry: The plugins to choose from; those that are installed by default.
        listener: Hears how it goes on.

    Raises:
        SpecError: The product cannot be compiled.
        UsageError: There is no such lane, or nothing that could be tried again.
        NotReadyError: Another build of the product is running; names the process.
        KeyboardInterrupt: The process was told to end; what was built until then stays.
    """
    from floe_core.compilation import compile_product

    ears = listener if listener is not None else Listener()
    began = time.monotonic()
    ears.began("compile")
    artifacts = compile_product(order.product, order.manifest, registry=registry)
    ears.compiled(artifacts)
    profile = _profile(artifacts, order.lane)
    places = Places.of(order.product, order.lane, order.target)
    name = artifacts.metadata.product_name
    with held(places.lock, name):
        undone = resuming.left(places.undone, name) if order.retry else None
        _write(places, artifacts)
        build = _Build(order, artifacts, profile, places, ears, began, undone)
        build.ended("compile", began)
        unwatched = frozenset[PluginType]() if order.traced else frozenset({PluginType.TELEMETRY_BACKEND})
        crewed = aboard(artifacts, registry, build.note, _others(order, artifacts), unwatched)
        with crewed as crew, traced(crew, artifacts, places, build.note):
            attributes = {"floe.product.name": name, "floe.lane": order.lane.value}
            with span(f"floe {order.work.value} {name}", **attributes):
                build.work(crew)
        return build.outcome()


def _others(order: Order, artifacts: CompiledArtifacts) -> frozenset[PluginType]:
    """The types of plugins that only some runs need."""
    keeping = KEEPERS if order.lane is Lane.ICEBERG else frozenset[PluginType]()
    if order.work is Work.TEST:
        return keeping
    return RUNNERS | keeping | (LOADERS if artifacts.sources else frozenset())


def _profile(artifacts: CompiledArtifacts, lane: Lane) -> dict[str, Any]:
    """The compiled dbt output of a lane."""
    (profile,) = artifacts.dbt_profiles.values()
    outputs: dict[str, dict[str, Any]] = profile["outputs"]
    if lane.value not in outputs:
        raise UsageError(
            f"the platform has no lane named {lane.value}",
            where="--lane",
            why=f"its lanes are: {', '.join(outputs)}",
            remedy="name one of them; the Iceberg lane needs a catalog and a storage in the manifest",
        )
    return outputs[lane.value]


def _write(places: Places, artifacts: CompiledArtifacts) -> None:
    from floe_core.compilation.write import write_atomic

    write_atomic(places.artifacts, artifacts.to_json())
    # JSON is YAML: dbt reads the compiled profile, so what the manifest says of the engine is what runs.
    write_atomic(places.profiles / "profiles.yml", json.dumps(artifacts.dbt_profiles, indent=2) + "\n")


@dataclass
class _Build:
    """The state of one build."""

    order: Order
    artifacts: CompiledArtifacts
    profile: dict[str, Any]
    places: Places
    listener: Listener
    began: float
    undone: Undone | None = None
    steps: list[Step] = field(default_factory=list)
    results: list[DbtResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)
    tables: tuple[TableState, ...] = ()
    released: str = ""
    described: SemanticResult | None = None
    report: QualityReport | None = None
    failure: FloeError | None = None
    engine: str = ""

    def work(self, crew: Crew) -> None:
        """Do it; a failure is kept, told as lineage and sent as an alert."""
        self.engine = crew.dbt.engine_version()
        with self._story(crew) as story:
            try:
                self._commands(crew, story)
            except FloeError as error:
                self.failure = error
        self.places.keep_manifest()
        if self.failure is not None and crew.alerts is not None:
            self.note(alerting.send(crew.alerts, self.outcome(), datetime.now(UTC)))

    def outcome(self) -> Outcome:
        """What it came to so far."""
        return Outcome(
            artifacts=self.artifacts,
            command=self.order.work.value,
            lane=self.order.lane,
            engine=self.engine,
            elapsed_s=time.monotonic() - self.began,
            steps=tuple(self.steps),
            nodes=tuple(node for result in self.results for node in result.nodes),
            quality=self.report,
            failure=self.failure,
            loaded=self.loaded,
            tables=self.tables,
            released=self.released,
            semantic=self.described,
            notes=tuple(self.notes),
        )

    def note(self, sentence: str) -> None:
        """Keep and tell what did not go as asked; nothing for an empty sentence."""
        if sentence:
            self.notes.append(sentence)
            self.listener.noted(sentence)

    def ended(self, step: str, began: float) -> None:
        """A step has ended well."""
        self.steps.append(Step(step, time.monotonic() - began))
        self.listener.ended(self.steps[-1])

    def _commands(self, crew: Crew, story: Story | None) -> None:
        environment = variables(self.profile, crew.secrets)
        if crew.ingestion is not None:
            self._ingest(crew, crew.ingestion)
        commands = self.undone.rest(self.order.work) if self.undone is not None else SEQUENCE[self.order.work]
        for command in commands:
            began = time.monotonic()
            self.listener.began(command.value)
            if command is not DbtCommand.DEPS:
                resuming.begun(self.places.undone, command)
            result = crew.dbt.run(
                self._request(command, environment),
                on_node=self.listener.node_ended,
                on_start=self.listener.node_began,
            )
            self.results.append(result)
            if story is not None:
                story.built(result, self.places.dbt / "manifest.json")
            self._judge(crew, command, result)
            self.ended(command.value, began)
        if crew.catalog is not None:
            self._release(crew, crew.catalog)
        resuming.done(self.places.undone)
        if crew.semantic_layer is not None:
            self._describe(crew.semantic_layer)

    def _ingest(self, crew: Crew, ingestion: IngestionPlugin[Any]) -> None:
        """Load the product's sources into the database that dbt builds in."""
        began = time.monotonic()
        self.listener.began("ingest")
        store = crew.secrets.get if crew.secrets is not None else None
        compute = cast("ComputePlugin[Any]", crew.compute)  # compiling refuses a platform without one
        file = compute.database_file(self._target(), self.places.product_dir)
        publisher = None
        if crew.catalog is not None and file is not None:
            namespace = self._target().namespace
            publisher = Publisher(compute, crew.catalog, crew.storage, namespace, file)
        for table, rows in ingesting.load(
            ingestion, self.artifacts, self.places, file, store=store, publisher=publisher
        ):
            self.loaded[table] = rows
            self.listener.loaded(table, rows)
        self.ended("ingest", began)

    def _target(self) -> TargetRequest:
        return TargetRequest(self.artifacts.metadata.product_name, self.order.lane)

    def _release(self, crew: Crew, catalog: CatalogPlugin[Any]) -> None:
        """Say what the catalog has of the output ports; they are released where all of the product has passed."""
        began, metadata = time.monotonic(), self.artifacts.metadata
        passed = self.order.work is not Work.RUN and not self.order.select
        step = "release" if passed else "catalog"
        self.listener.began(step)
        ports = [port.name for port in self.artifacts.output_ports]
        if not passed:
            built = {node.name for result in self.results for node in result.nodes if node.status == "success"}
            ports = [name for name in ports if name in built]
        tables = releasing.identifiers(
            self.places.dbt / "manifest.json",
            ports,
            namespace=self._target().namespace,
            default_schema=str(self.profile.get("schema", "")),
        )
        version = metadata.product_version if passed else ""
        self.tables = releasing.states(catalog, crew.storage, tables, release=version)
        self.released = version
        for table in self.tables:
            self.listener.found(table)
        self.ended(step, began)

    def _describe(self, plugin: SemanticLayerPlugin[Any]) -> None:
        """Give the semantic layer its files; where that fails, the tables are built all the same."""
        began = time.monotonic()
        self.listener.began("semantic")
        self.described = semantic.describe(plugin, self.artifacts, self.places)
        self.listener.described(self.described)
        for sentence in self.described.notes:
            self.note(f"{plugin.name}: {sentence}")
        self.ended("semantic", began)

    def _judge(self, crew: Crew, command: DbtCommand, result: DbtResult) -> None:
        if command in {DbtCommand.RUN, DbtCommand.TEST} and self.order.select and not result.nodes:
            raise self._nothing_selected()
        if not result.success:
            resuming.failed(self.places.undone, command, result)
        if command is not DbtCommand.TEST:
            result.raise_for_failure()
            return
        if crew.quality is not None:
            tiers = {model.name: model.tier.value for model in self.artifacts.models if model.tier is not None}
            self.report = judging.judged(crew.quality, result, tiers)
        failure = judging.failure(result, self.report)
        if failure is not None:
            raise failure

    def _nothing_selected(self) -> UsageError:
        names = [model.name for model in self.artifacts.models]
        near = [name for word in self.order.select if (name := nearest(word, names))]
        known = f"the models are: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}"  # noqa: PLR2004 - what fits a screen
        return UsageError(
            f"nothing is selected by {' '.join(self.order.select)}",
            where="--select",
            why=known,
            remedy=f"did you mean {near[0]}?"
            if near
            else "name a model, or use dbt's selection, for example tag:marts",
        )

    def _request(self, command: DbtCommand, environment: dict[str, str]) -> DbtRequest:
        select = self.order.select
        if self.undone is not None and command is self.undone.command and self.undone.nodes:
            select = self.undone.select()
        elif command is DbtCommand.SEED:  # the seeds that the selected models read, and no others
            select = tuple(word if word.startswith("+") else f"+{word}" for word in select)
        return DbtRequest(
            command=command,
            project_dir=self.places.product_dir,
            profiles_dir=self.places.profiles,
            target=self.order.lane.value,
            target_path=self.places.dbt,
            select=select,
            variables=self.order.variables,
            environment={"DBT_LOG_PATH": str(self.places.logs), **environment},
            full_refresh=self.order.full_refresh,
        )

    @contextmanager
    def _story(self, crew: Crew) -> Iterator[Story | None]:
        """The lineage of this build, begun here and ended as the block ends."""
        if crew.lineage is None:
            yield None
            return
        emitter = Emitter(crew.lineage)
        with ExitStack() as ending:
            ending.callback(lambda: self.note(emitter.close()))
            # An adapter that is built upon another one speaks that one's SQL: duckdb_iceberg speaks duckdb.
            dialect = str(self.profile.get("type", "sql")).split("_")[0]
            name = self.artifacts.metadata.product_name
            story = Story(emitter, name, datetime.now(UTC), dialect)
            story.begin()
            try:
                yield story
            except BaseException:
                story.abort(datetime.now(UTC))
                raise
            if self.failure is None:
                story.complete(datetime.now(UTC))
            else:
                story.fail(datetime.now(UTC), self.failure)

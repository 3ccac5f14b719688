"""The six stages, one function each: LOAD, VALIDATE, RESOLVE, ENFORCE, COMPILE, GENERATE.

Each takes what the ones before it made and gives what the next ones need; none has a memory. Each is a span.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from floe_core.compilation import graph
from floe_core.compilation.builder import build_artifacts
from floe_core.enforcement import PolicyViolationError, Subject
from floe_core.enforcement import enforce as run_checks
from floe_core.plugins import ComputeError, ComputePlugin, Lane, PluginType, TargetRequest
from floe_core.registry import PluginConfigError, PluginNotFoundError, RegistryError
from floe_core.spec import problems
from floe_core.spec.explain import explain
from floe_core.spec.load import load_manifest, load_product
from floe_core.spec.problems import SpecError, nearest
from floe_core.spec.source import Advice, Point
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from floe_core.compilation.artifacts import CompiledArtifacts
    from floe_core.enforcement import EnforcementResult
    from floe_core.registry import Registry, ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest, PluginSelection
    from floe_core.spec.problems import Problem
    from floe_core.spec.product import FloeSpec

P = ParamSpec("P")
R = TypeVar("R")
Plugins = dict[PluginType, "ResolvedPlugin"]


@dataclass(frozen=True)
class Loaded:
    """What LOAD read.

    Attributes:
        product: The product with its places.
        manifest: The manifest with its places.
    """

    product: Document[FloeSpec]
    manifest: Document[PlatformManifest]


def _stage(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(body: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(body)
        def traced(*args: P.args, **kwargs: P.kwargs) -> R:
            with span(f"compile.{name}", **{"compile.stage": name}):
                return body(*args, **kwargs)

        return traced

    return decorate


@_stage("load")
def load(product: Path, manifest: Path | None = None) -> Loaded:
    """Read both files; the manifest is the one that the product names where none is given.

    Raises:
        SpecError: With everything that is wrong in either file.
    """
    found: list[Problem] = []
    loaded: Document[FloeSpec] | None = None
    try:
        loaded = load_product(product)
    except SpecError as error:
        if manifest is None:
            raise
        found += error.problems
    path = manifest if manifest is not None else _named_manifest(cast("Document[FloeSpec]", loaded))
    try:
        platform = load_manifest(path)
    except SpecError as error:
        found += error.problems
        raise SpecError(found, exit_code=error.exit_code) from None
    if loaded is None:
        raise SpecError(found)
    return Loaded(loaded, platform)


def _named_manifest(product: Document[FloeSpec]) -> Path:
    if product.model.platform is None:
        advice = Advice(
            "the product does not say which platform it is for",
            remedy="add platform: with manifest: PATH, or give --manifest",
        )
        raise SpecError([product.source.problem(problems.SCHEMA, ("platform", "manifest"), advice)])
    return Path(product.path.parent, product.model.platform.manifest)


@_stage("validate")
def validate(loaded: Loaded) -> None:
    """Check what holds between the parts of the product.

    Raises:
        SpecError: Repeated or unknown names, or a cycle.
    """
    if found := list(graph.check(loaded.product)):
        raise SpecError(found)


@_stage("resolve")
def resolve(loaded: Loaded, registry: Registry) -> Plugins:
    """Find, load and configure every chosen plugin.

    Raises:
        SpecError: A plugin that is unknown, broken or of another version, a configuration that its schema refuses,
            a model on a compute plugin that is not chosen.
    """
    plugins: Plugins = {}
    found: list[Problem] = []
    for name, selection in loaded.manifest.model.plugins.chosen().items():
        kind = PluginType(name)
        try:
            plugins[kind] = registry.create(kind, selection.type, selection.config)
        except RegistryError as error:
            found += _refused(loaded.manifest, kind, error)
            continue
        found += _other_version(loaded.manifest, plugins[kind], selection)
    found += _other_computes(loaded, registry)
    if found:
        raise SpecError(found)
    return plugins


def _refused(manifest: Document[PlatformManifest], kind: PluginType, error: RegistryError) -> list[Problem]:
    base = ("plugins", kind.value)
    if isinstance(error, PluginConfigError):
        return explain(
            error.validation,
            manifest.source,
            error.model,
            base=(*base, "config"),
            code=problems.PLUGIN_CONFIG,
        )
    unknown = isinstance(error, PluginNotFoundError)
    code = problems.PLUGIN_UNKNOWN if unknown else problems.PLUGIN_UNUSABLE
    advice = Advice(f"{error.what}: {error.why}", error.nearest, error.remedy)
    return [manifest.source.problem(code, (*base, "type"), advice)]


def _other_version(
    manifest: Document[PlatformManifest], plugin: ResolvedPlugin, selection: PluginSelection
) -> Iterator[Problem]:
    entry = plugin.entry
    if selection.version is not None and selection.version != entry.version:
        advice = Advice(
            f"{entry.distribution} {entry.version} is installed", remedy="install that version, or correct the number"
        )
        yield manifest.source.problem(problems.PLUGIN_VERSION, ("plugins", entry.type.value, "version"), advice)


def _other_computes(loaded: Loaded, registry: Registry) -> Iterator[Problem]:
    chosen = loaded.manifest.model.plugins.compute.type
    installed = [entry.name for entry in registry.entries(PluginType.COMPUTE)]
    for index, transform in enumerate(loaded.product.model.transforms):
        if transform.compute is not None and transform.compute != chosen:
            there = transform.compute in installed
            advice = Advice(
                f"the manifest chooses {chosen}" if there else "no compute plugin of that name is installed",
                nearest(transform.compute, [chosen]),
                f"leave compute: out to use {chosen}",
            )
            loc = ("transforms", index, "compute")
            yield loaded.product.source.problem(problems.COMPUTE_UNAVAILABLE, loc, advice)


@_stage("enforce")
def enforce(loaded: Loaded, plugins: Plugins) -> EnforcementResult:
    """Hold the product to the rules.

    Raises:
        PolicyViolationError: The level is strict and a rule is not kept.
    """
    result = run_checks(Subject(loaded.product, loaded.manifest, plugins))
    if not result.summary.passed:
        raise PolicyViolationError(result)
    return result


@_stage("compile")
def compile_profiles(loaded: Loaded, plugins: Plugins) -> dict[str, Any]:
    """The dbt profile: one output for each lane that the platform has, named like the lane.

    Raises:
        SpecError: The compute plugin cannot build in a lane.
    """
    compute = cast("ComputePlugin[Any]", plugins[PluginType.COMPUTE].instance)
    product, outputs = loaded.product.model.metadata.name, {}
    for lane in _lanes(compute, plugins):
        try:
            outputs[lane.value] = compute.dbt_target(TargetRequest(product, lane))
        except ComputeError as error:
            advice = Advice(f"{error.what}: {error.why}", remedy=error.remedy)
            loc = ("plugins", PluginType.COMPUTE.value)
            problem = loaded.manifest.source.problem(problems.LANE_UNSUPPORTED, loc, advice, Point.HIDDEN)
            raise SpecError([problem]) from error
    return {product.replace("-", "_"): {"target": Lane.DUCKDB.value, "outputs": outputs}}


def _lanes(compute: ComputePlugin[Any], plugins: Mapping[PluginType, object]) -> list[Lane]:
    """The lanes of the engine; the Iceberg lane needs a catalog and a store."""
    iceberg = {PluginType.CATALOG, PluginType.STORAGE} <= set(plugins)
    return [lane for lane in Lane if lane in compute.lanes and (lane is not Lane.ICEBERG or iceberg)]


@_stage("generate")
def generate(
    loaded: Loaded, plugins: Plugins, result: EnforcementResult, profiles: dict[str, Any]
) -> CompiledArtifacts:
    """Put the artifacts together."""
    return build_artifacts(
        loaded.product,
        loaded.manifest,
        plugins=plugins,
        dbt_profiles=profiles,
        enforcement_result=result.summary,
    )

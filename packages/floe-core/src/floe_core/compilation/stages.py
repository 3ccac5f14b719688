"""The six stages, one function each: LOAD, VALIDATE, RESOLVE, ENFORCE, COMPILE, GENERATE.

Each takes what the ones before it made and gives what the next ones need; none has a memory. Each is a span.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from floe_core import dbt_manifest
from floe_core.compilation import agreement, graph, profiles
from floe_core.compilation.builder import build_artifacts
from floe_core.compilation.outputs import Bundle, ClusterPlace
from floe_core.compilation.references import references
from floe_core.compilation.resolving import Plugins, Resolver
from floe_core.dbt_manifest.reading import NO_PROJECT, Reading
from floe_core.enforcement import PolicyViolationError, Subject
from floe_core.enforcement import enforce as run_checks
from floe_core.errors import FloeError
from floe_core.plugins import PluginType, RightsRequest
from floe_core.spec import problems
from floe_core.spec.load import load_manifest, load_product
from floe_core.spec.problems import SpecError
from floe_core.spec.source import Advice
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from floe_core.dbt_manifest import DbtProject
    from floe_core.enforcement import EnforcementResult
    from floe_core.plugins import RBACPlugin
    from floe_core.registry import Registry, ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest
    from floe_core.spec.problems import Problem
    from floe_core.spec.product import FloeSpec

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Loaded:
    """What LOAD read.

    Attributes:
        product: The product with its places.
        manifest: The manifest with its places.
        project: The files of the dbt project beside the product; None where there is none.
        dbt: dbt's own manifest, or why it is not used.
    """

    product: Document[FloeSpec]
    manifest: Document[PlatformManifest]
    project: DbtProject | None = None
    dbt: Reading = field(default_factory=lambda: Reading(None, NO_PROJECT))


@dataclass(frozen=True)
class Resolved:
    """What RESOLVE made.

    Attributes:
        plugins: The chosen plugins, configured.
        sources: The checked configuration of each source, by name.
    """

    plugins: Plugins
    sources: Mapping[str, BaseModel] = field(default_factory=dict)


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
    """Read both files, and the dbt project beside the product; the product names its manifest where none is given.

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
    folder = loaded.path.parent
    project = dbt_manifest.find(folder)
    return Loaded(loaded, platform, project, dbt_manifest.read(folder, project))


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
    """Check what holds between the parts of the product, with its platform, and with its dbt project.

    Raises:
        SpecError: Unknown names, a cycle, a product that the platform does not take, models that differ from dbt's.
    """
    found = [*graph.check(loaded.product), *graph.check_approval(loaded.product, loaded.manifest)]
    found += agreement.check(loaded.product, loaded.project, loaded.dbt)
    if found:
        raise SpecError(found)


@_stage("resolve")
def resolve(loaded: Loaded, registry: Registry) -> Resolved:
    """Find, load and configure every chosen plugin, and check the product's sources with theirs.

    Raises:
        SpecError: A plugin that is unknown, broken, of another version, or needs one that is not chosen; a
            configuration that its schema refuses; a model on a compute plugin that is not chosen; a source that the
            ingestion plugin does not take; a secret that nobody can look up.
    """
    resolver = Resolver(loaded.product, loaded.manifest, registry)
    resolver.resolve()
    if resolver.found:
        raise SpecError(resolver.found)
    return Resolved(resolver.plugins, resolver.sources)


@_stage("enforce")
def enforce(loaded: Loaded, resolved: Resolved) -> EnforcementResult:
    """Hold the product to the rules.

    Raises:
        PolicyViolationError: The level is strict and a rule is not kept.
    """
    result = run_checks(Subject(loaded.product, loaded.manifest, resolved.plugins, loaded.project, loaded.dbt))
    if not result.summary.passed:
        raise PolicyViolationError(result)
    return result


@_stage("compile")
def compile_profiles(loaded: Loaded, resolved: Resolved) -> dict[str, Any]:
    """The dbt profile: one output for each lane that the platform has, named like the lane.

    Raises:
        SpecError: The compute plugin cannot build in a lane, or would write a credential down.
    """
    return profiles.make(loaded.product.model.metadata.name, loaded.manifest, resolved.plugins)


@_stage("generate")
def generate(
    loaded: Loaded,
    resolved: Resolved,
    result: EnforcementResult,
    dbt_profiles: dict[str, Any],
    place: ClusterPlace | None = None,
) -> Bundle:
    """Put the artifacts together, and what the other outputs are made of.

    Raises:
        SpecError: The rbac plugin cannot express the product's rights.
        UsageError: The place has a name that Kubernetes does not take; SOURCE_DATE_EPOCH is no number.
    """
    where = place or ClusterPlace()
    where.check()
    artifacts = build_artifacts(
        loaded.product,
        loaded.manifest,
        plugins=resolved.plugins,
        sources=resolved.sources,
        dbt=loaded.dbt,
        dbt_profiles=dbt_profiles,
        enforcement_result=result.summary,
    )
    return Bundle(artifacts, where, _shim(resolved.plugins), _rights(loaded, resolved, where))


def _shim(plugins: Plugins) -> str:
    """The package of the orchestrator; one that has no `load_product_definitions` is loaded by other means."""
    orchestrator = plugins.get(PluginType.ORCHESTRATOR)
    if orchestrator is None or orchestrator.entry.name != "dagster":
        return ""
    return orchestrator.entry.target.partition(":")[0].partition(".")[0]


def _rights(loaded: Loaded, resolved: Resolved, place: ClusterPlace) -> tuple[Mapping[str, Any], ...]:
    plugin: ResolvedPlugin | None = resolved.plugins.get(PluginType.RBAC)
    if plugin is None:
        return ()
    configurations = [one.instance.config for one in resolved.plugins.values()]
    asked = references([configurations, [*resolved.sources.values()], loaded.product.model.destinations])
    # What is looked up by name in the cluster; environment and files are the pod's own business.
    names = {one.secret for one in asked if one.secret is not None and place.holds(one.secret)}
    request = RightsRequest(loaded.product.model.metadata.name, place.namespace, tuple(sorted(names)))
    try:
        return tuple(cast("RBACPlugin[Any]", plugin.instance).manifests(request))
    except FloeError as error:
        advice = Advice(f"{error.what}: {error.why}" if error.why else error.what, remedy=error.remedy)
    except Exception as error:  # noqa: BLE001 - a plugin is foreign code; its words may hold anything
        advice = Advice(
            f"{plugin.entry.name} fails to express the product's rights: {type(error).__name__}",
            remedy=f"ask the authors of {plugin.entry.distribution}",
        )
    loc = ("plugins", PluginType.RBAC.value, "type")
    raise SpecError([loaded.manifest.source.problem(problems.RIGHTS_REFUSED, loc, advice)])

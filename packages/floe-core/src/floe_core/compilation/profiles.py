"""The dbt profile: one output for each lane that the platform has, and no value of a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from floe_core.enforcement.literals import is_env_var
from floe_core.errors import FloeError
from floe_core.plugins import Lane, PluginType, TargetRequest
from floe_core.spec import problems
from floe_core.spec.literals import is_secret_name, shape_of
from floe_core.spec.problems import SpecError
from floe_core.spec.source import Advice, Point, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_core.compilation.resolving import Plugins
    from floe_core.plugins import CatalogPlugin, ComputePlugin, StoragePlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest
    from floe_core.spec.source import Loc


def make(product: str, manifest: Document[PlatformManifest], plugins: Plugins) -> dict[str, Any]:
    """The content of `profiles.yml`: the profile has the product's name, each output the name of its lane.

    Raises:
        SpecError: The compute plugin cannot build in a lane or has none here, or writes a credential into the profile.
    """
    compute = cast("ComputePlugin[Any]", plugins[PluginType.COMPUTE].instance)
    outputs: dict[str, Any] = {}
    for lane in _lanes(compute, plugins):
        advice: Advice | None = None
        try:
            outputs[lane.value] = compute.dbt_target(_request(product, lane, plugins))
        except FloeError as error:
            advice = Advice(f"{error.what}: {error.why}", remedy=error.remedy)
        except Exception as error:  # noqa: BLE001 - a plugin is foreign code; its words may hold anything
            advice = Advice(
                f"{compute.name} fails to make a target for the lane {lane}: {type(error).__name__}",
                remedy=f"ask the authors of {plugins[PluginType.COMPUTE].entry.distribution}",
            )
        if advice is not None:
            raise SpecError([_problem(manifest, problems.LANE_UNSUPPORTED, advice)])
    if found := next(_credentials(outputs), None):
        advice = Advice(
            f"{compute.name} writes a credential into the profile, at {dotted(found)}",
            remedy="the plugin has to write dbt's env_var('NAME') there; ask its authors",
        )
        raise SpecError([_problem(manifest, problems.PROFILE_SECRET, advice)])
    if not outputs:
        advice = Advice(
            f"{compute.name} has no lane on this platform",
            remedy="choose plugins.catalog and plugins.storage, which the Iceberg lane needs, or another engine",
        )
        raise SpecError([_problem(manifest, problems.LANE_UNSUPPORTED, advice)])
    return {product.replace("-", "_"): {"target": next(iter(outputs)), "outputs": outputs}}


def _request(product: str, lane: Lane, plugins: Plugins) -> TargetRequest:
    if lane is not Lane.ICEBERG:
        return TargetRequest(product, lane)
    catalog = cast("CatalogPlugin[Any]", plugins[PluginType.CATALOG].instance)
    storage = cast("StoragePlugin[Any]", plugins[PluginType.STORAGE].instance)
    return TargetRequest(product, lane, catalog.address(), storage.address())


def _problem(manifest: Document[PlatformManifest], code: str, advice: Advice) -> problems.Problem:
    return manifest.source.problem(code, ("plugins", PluginType.COMPUTE.value), advice, Point.HIDDEN)


def _lanes(compute: ComputePlugin[Any], plugins: Mapping[PluginType, object]) -> list[Lane]:
    """The lanes of the engine; the Iceberg lane needs a catalog and a store."""
    iceberg = {PluginType.CATALOG, PluginType.STORAGE} <= set(plugins)
    return [lane for lane in Lane if lane in compute.lanes and (lane is not Lane.ICEBERG or iceberg)]


def _credentials(value: object, loc: Loc = ()) -> Iterator[Loc]:
    """Where a profile holds what looks like a credential and is no `env_var` without a default."""
    if isinstance(value, dict):
        for name, below in value.items():
            secret = is_secret_name(str(name)) and isinstance(below, str | int) and below != ""
            if secret and not is_env_var(below):
                yield (*loc, str(name))
            else:
                yield from _credentials(below, (*loc, str(name)))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _credentials(below, (*loc, index))
    elif isinstance(value, str) and shape_of(value):
        yield loc

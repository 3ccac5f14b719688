"""The pipeline: product and manifest in, artifacts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.compilation import stages
from floe_core.compilation.write import write_atomic
from floe_core.registry import Registry
from floe_core.telemetry import span

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.trace import Span

    from floe_core.compilation.artifacts import CompiledArtifacts
    from floe_core.compilation.outputs import Bundle, ClusterPlace
    from floe_core.enforcement import EnforcementResult


def compile_bundle(
    product: Path,
    manifest: Path | None = None,
    *,
    registry: Registry | None = None,
    place: ClusterPlace | None = None,
) -> Bundle:
    """Compile one product, and what the other outputs are made of; writes nothing.

    Args:
        product: Its folder, or its `floe.yaml`.
        manifest: The platform's manifest; the one that the product names where it is None.
        registry: The plugins to choose from; those that are installed by default.
        place: Where in Kubernetes the objects go.

    Raises:
        SpecError: With everything that is wrong.
        PolicyViolationError: The rules are strict and are not kept.
        UsageError: The place has a name that Kubernetes does not take.
    """
    with span("compile.pipeline", **{"compile.spec_path": str(product)}) as current:
        loaded, resolved, result, profiles = _checked(product, manifest, registry, current)
        return stages.generate(loaded, resolved, result, profiles, place)


def compile_product(
    product: Path, manifest: Path | None = None, *, output: Path | None = None, registry: Registry | None = None
) -> CompiledArtifacts:
    """Compile one product.

    Args:
        product: Its folder, or its `floe.yaml`.
        manifest: The platform's manifest; the one that the product names where it is None.
        output: A file that the artifacts are written to, whole or not at all; nothing is written without it.
        registry: The plugins to choose from; those that are installed by default.

    Raises:
        SpecError: With everything that is wrong.
        PolicyViolationError: The rules are strict and are not kept.
        WrongStateError: The output cannot be written.
    """
    artifacts = compile_bundle(product, manifest, registry=registry).artifacts
    if output is not None:
        write_atomic(output, artifacts.to_json())
    return artifacts


def validate_product(
    product: Path, manifest: Path | None = None, *, registry: Registry | None = None
) -> EnforcementResult:
    """Everything that `compile_product` checks, without making artifacts.

    Raises:
        SpecError: With everything that is wrong.
        PolicyViolationError: The rules are strict and are not kept.
    """
    with span("compile.validation", **{"compile.spec_path": str(product)}) as current:
        _, _, result, _ = _checked(product, manifest, registry, current)
        return result


def _checked(
    product: Path, manifest: Path | None, registry: Registry | None, current: Span
) -> tuple[stages.Loaded, stages.Resolved, EnforcementResult, dict[str, object]]:
    loaded = stages.load(product, manifest)
    current.set_attribute("compile.product_name", loaded.product.model.metadata.name)
    current.set_attribute("compile.model_count", len(loaded.product.model.transforms))
    current.set_attribute("compile.dbt_manifest", loaded.dbt.manifest is not None)
    stages.validate(loaded)
    resolved = stages.resolve(loaded, registry if registry is not None else Registry())
    result = stages.enforce(loaded, resolved)
    current.set_attribute("enforcement.level", result.summary.enforcement_level.value)
    current.set_attribute("enforcement.warning_count", result.summary.warning_count)
    return loaded, resolved, result, stages.compile_profiles(loaded, resolved)

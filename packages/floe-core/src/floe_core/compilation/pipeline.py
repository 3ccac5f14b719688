"""The pipeline: product and manifest in, artifacts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.compilation import stages
from floe_core.compilation.write import write_atomic
from floe_core.registry import Registry
from floe_core.telemetry import span

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.compilation.artifacts import CompiledArtifacts
    from floe_core.enforcement import EnforcementResult


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
    with span("compile.pipeline", **{"compile.spec_path": str(product)}) as current:
        loaded = stages.load(product, manifest)
        current.set_attribute("compile.product_name", loaded.product.model.metadata.name)
        current.set_attribute("compile.model_count", len(loaded.product.model.transforms))
        stages.validate(loaded)
        plugins = stages.resolve(loaded, registry if registry is not None else Registry())
        result = stages.enforce(loaded, plugins)
        artifacts = stages.generate(loaded, plugins, result, stages.compile_profiles(loaded, plugins))
        if output is not None:
            write_atomic(output, artifacts.to_json())
        return artifacts


def validate_product(product: Path, manifest: Path | None = None) -> EnforcementResult:
    """Everything that `compile_product` checks, without making artifacts.

    Raises:
        SpecError: With everything that is wrong.
        PolicyViolationError: The rules are strict and are not kept.
    """
    with span("compile.validation", **{"compile.spec_path": str(product)}):
        loaded = stages.load(product, manifest)
        stages.validate(loaded)
        plugins = stages.resolve(loaded, Registry())
        result = stages.enforce(loaded, plugins)
        stages.compile_profiles(loaded, plugins)
        return result

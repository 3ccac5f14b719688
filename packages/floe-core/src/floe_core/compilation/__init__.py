"""From `floe.yaml` and `manifest.yaml` to the artifacts that everything else runs on."""

from __future__ import annotations

from floe_core.compilation.artifacts import ARTIFACTS_VERSION, CompiledArtifacts
from floe_core.compilation.builder import build_artifacts
from floe_core.compilation.outputs import KINDS, Bundle, ClusterPlace, compile_outputs, write_outputs
from floe_core.compilation.pipeline import compile_bundle, compile_product, validate_product

__all__ = [
    "ARTIFACTS_VERSION",
    "KINDS",
    "Bundle",
    "ClusterPlace",
    "CompiledArtifacts",
    "build_artifacts",
    "compile_bundle",
    "compile_outputs",
    "compile_product",
    "validate_product",
    "write_outputs",
]

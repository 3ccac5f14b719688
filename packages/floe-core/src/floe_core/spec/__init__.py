"""What people write: `floe.yaml` (FloeSpec) and `manifest.yaml` (PlatformManifest)."""

from __future__ import annotations

from floe_core.spec.governance import EnforcementLevel, Governance, Tier
from floe_core.spec.load import Document, load_manifest, load_product
from floe_core.spec.platform import PlatformManifest, PluginSelection
from floe_core.spec.problems import Problem, SpecError
from floe_core.spec.product import FloeSpec, OutputPort, Transform
from floe_core.spec.secrets import SecretRef, SecretUnavailableError, Setting, resolved

__all__ = [
    "Document",
    "EnforcementLevel",
    "FloeSpec",
    "Governance",
    "OutputPort",
    "PlatformManifest",
    "PluginSelection",
    "Problem",
    "SecretRef",
    "SecretUnavailableError",
    "Setting",
    "SpecError",
    "Tier",
    "Transform",
    "load_manifest",
    "load_product",
    "resolved",
]

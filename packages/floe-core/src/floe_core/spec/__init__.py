"""What people write: `floe.yaml` (FloeSpec) and `manifest.yaml` (PlatformManifest)."""

from __future__ import annotations

from floe_core.spec.governance import Classification, EnforcementLevel, Governance, Tier
from floe_core.spec.load import Document, load_manifest, load_product
from floe_core.spec.platform import PlatformManifest, PluginSelection, Scope
from floe_core.spec.problems import Problem, SpecError
from floe_core.spec.product import Destination, FloeSpec, OutputPort, Retention, SourceSpec, Transform
from floe_core.spec.secrets import SecretRef, SecretStore, SecretUnavailableError, Setting, resolved

__all__ = [
    "Classification",
    "Destination",
    "Document",
    "EnforcementLevel",
    "FloeSpec",
    "Governance",
    "OutputPort",
    "PlatformManifest",
    "PluginSelection",
    "Problem",
    "Retention",
    "Scope",
    "SecretRef",
    "SecretStore",
    "SecretUnavailableError",
    "Setting",
    "SourceSpec",
    "SpecError",
    "Tier",
    "Transform",
    "load_manifest",
    "load_product",
    "resolved",
]

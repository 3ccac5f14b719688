"""The dbt project beside a product: its files, and what dbt's own manifest says about them."""

from __future__ import annotations

from floe_core.dbt_manifest.manifest import DbtColumn, DbtManifest, DbtModel, ManifestError, parse
from floe_core.dbt_manifest.project import DbtProject, ProjectFile, find
from floe_core.dbt_manifest.reading import Reading, read

__all__ = [
    "DbtColumn",
    "DbtManifest",
    "DbtModel",
    "DbtProject",
    "ManifestError",
    "ProjectFile",
    "Reading",
    "find",
    "parse",
    "read",
]

"""Which plugins are installed, how one is loaded and configured, and how those of one run live."""

from __future__ import annotations

from floe_core.registry.declarations import PluginEntry, UnreadableDistribution
from floe_core.registry.discovery import Discovery, discover, scan
from floe_core.registry.errors import (
    BrokenDeclarationError,
    BrokenPluginError,
    CyclicDependencyError,
    DuplicatePluginError,
    IncompatiblePluginError,
    MissingDependencyError,
    PluginConfigError,
    PluginNotFoundError,
    RegistryError,
)
from floe_core.registry.registry import Registry, ResolvedPlugin

__all__ = [
    "BrokenDeclarationError",
    "BrokenPluginError",
    "CyclicDependencyError",
    "Discovery",
    "DuplicatePluginError",
    "IncompatiblePluginError",
    "MissingDependencyError",
    "PluginConfigError",
    "PluginEntry",
    "PluginNotFoundError",
    "Registry",
    "RegistryError",
    "ResolvedPlugin",
    "UnreadableDistribution",
    "discover",
    "scan",
]

"""Which plugins are installed, and how one is loaded and configured."""

from __future__ import annotations

from floe_core.registry.discovery import PluginEntry, discover
from floe_core.registry.errors import (
    BrokenPluginError,
    DuplicatePluginError,
    IncompatiblePluginError,
    PluginConfigError,
    PluginNotFoundError,
    RegistryError,
)
from floe_core.registry.registry import Registry, ResolvedPlugin

__all__ = [
    "BrokenPluginError",
    "DuplicatePluginError",
    "IncompatiblePluginError",
    "PluginConfigError",
    "PluginEntry",
    "PluginNotFoundError",
    "Registry",
    "RegistryError",
    "ResolvedPlugin",
    "discover",
]

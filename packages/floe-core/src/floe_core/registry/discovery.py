"""Which plugins are installed: reads the entry points of all distributions and imports none of them."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_core.plugins.interface import PluginType

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, order=True)
class PluginEntry:
    """One declared plugin.

    Attributes:
        type: Its type.
        name: The name under which manifests choose it.
        target: `module:Class`.
        distribution: The distribution that declares it.
        version: That distribution's version.
    """

    type: PluginType
    name: str
    target: str
    distribution: str
    version: str


def discover(distributions: Iterable[importlib.metadata.Distribution] | None = None) -> tuple[PluginEntry, ...]:
    """Every plugin that an installed distribution declares, sorted; the same declaration twice counts once.

    Args:
        distributions: Where to look; everything on the path by default.
    """
    groups = {kind.entry_point_group: kind for kind in PluginType}
    found: set[PluginEntry] = set()
    for distribution in distributions if distributions is not None else importlib.metadata.distributions():
        declared = distribution.read_text("entry_points.txt")
        # Most distributions declare nothing of ours, and parsing all of them costs more than finding that out.
        if not declared or "[floe." not in declared:
            continue
        for entry in distribution.entry_points:
            if entry.group in groups:
                name, version = distribution.metadata["Name"], distribution.version
                found.add(PluginEntry(groups[entry.group], entry.name, entry.value, name, version))
    return tuple(sorted(found))

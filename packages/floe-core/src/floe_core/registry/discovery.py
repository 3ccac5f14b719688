"""Which plugins are installed: reads the entry points of all distributions and imports none of them."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, NamedTuple

from floe_core.registry.declarations import PluginEntry, UnreadableDistribution, declared

if TYPE_CHECKING:
    from collections.abc import Iterable


class Discovery(NamedTuple):
    """What is installed.

    Attributes:
        entries: Every declared plugin, sorted; a declaration that cannot be used says so in its `flaw`.
        unreadable: Distributions of which nobody can say what they declare, sorted.
    """

    entries: tuple[PluginEntry, ...]
    unreadable: tuple[UnreadableDistribution, ...]


def scan(distributions: Iterable[importlib.metadata.Distribution] | None = None) -> Discovery:
    """Read every distribution; the same declaration twice counts once, and none hides another.

    Args:
        distributions: Where to look; everything on the path by default.
    """
    entries: set[PluginEntry] = set()
    unreadable: set[UnreadableDistribution] = set()
    for distribution in distributions if distributions is not None else importlib.metadata.distributions():
        found, silent = declared(distribution)
        entries.update(found)
        if silent is not None:
            unreadable.add(silent)
    return Discovery(tuple(sorted(entries)), tuple(sorted(unreadable)))


def discover(distributions: Iterable[importlib.metadata.Distribution] | None = None) -> tuple[PluginEntry, ...]:
    """The entries of `scan`."""
    return scan(distributions).entries

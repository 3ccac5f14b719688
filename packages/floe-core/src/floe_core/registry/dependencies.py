"""Which plugin starts before which: what each declares, and the store that its configuration refers to.

Keyed by (type, name) throughout, so that one name in two types is two plugins.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel

from floe_core.plugins.interface import PluginType
from floe_core.registry.errors import CyclicDependencyError, MissingDependencyError, RegistryError
from floe_core.spec.secrets import SecretRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from floe_core.registry.registry import ResolvedPlugin

PluginKey: TypeAlias = tuple[PluginType, str]
Graph: TypeAlias = dict[PluginKey, tuple[PluginKey, ...]]
"""Each plugin with those that start before it, sorted."""


def needs(plugin: ResolvedPlugin) -> Mapping[PluginType, str]:
    """The types that a plugin needs, each with the reason."""
    found = dict.fromkeys(plugin.instance.dependencies, f"{plugin.entry.target} declares it")
    name = next(_stored(plugin.instance.config), None)
    if name is not None and plugin.entry.type is not PluginType.SECRETS:
        found.setdefault(PluginType.SECRETS, f"its configuration refers to secret:{name}")
    return found


def graph(plugins: Iterable[ResolvedPlugin]) -> Graph:
    """Who waits for whom.

    Raises:
        MissingDependencyError: A plugin needs a type of which none is here.
        CyclicDependencyError: Plugins wait for each other.
    """
    chosen = tuple(plugins)
    if wrong := problems(chosen):
        raise wrong[0]
    return _edges(chosen)


def problems(plugins: Iterable[ResolvedPlugin]) -> list[RegistryError]:
    """Everything that is wrong with the dependencies: each missing one, and a cycle where there is one."""
    chosen = tuple(plugins)
    types = {plugin.entry.type for plugin in chosen}
    found: list[RegistryError] = [
        MissingDependencyError(plugin.entry, kind, why)
        for plugin in chosen
        for kind, why in needs(plugin).items()
        if kind not in types
    ]
    try:
        TopologicalSorter(_edges(chosen)).prepare()
    except CycleError as error:
        entries = {plugin.entry.key: plugin.entry for plugin in chosen}
        # The library names the first twice, and each before the one that waits for it.
        cycle = tuple(entries[key] for key in reversed(error.args[1][1:]))
        start = cycle.index(min(cycle))
        found.append(CyclicDependencyError(cycle[start:] + cycle[:start]))
    return found


def order(plugins: Iterable[ResolvedPlugin]) -> tuple[PluginKey, ...]:
    """The keys in an order in which they can start one after the other; the same for the same plugins.

    Raises:
        RegistryError: As `graph`.
    """
    return tuple(TopologicalSorter(graph(plugins)).static_order())


def _edges(plugins: tuple[ResolvedPlugin, ...]) -> Graph:
    return {
        plugin.entry.key: tuple(sorted(other.entry.key for other in plugins if other.entry.type in wanted))
        for plugin, wanted in ((plugin, needs(plugin)) for plugin in sorted(plugins, key=lambda one: one.entry))
    }


def _stored(value: Any) -> Iterator[str]:
    """The names of the secrets that a configuration refers to, at any depth."""
    if isinstance(value, SecretRef):
        if value.secret is not None:
            yield value.secret
    elif isinstance(value, BaseModel):
        yield from _stored([one for _, one in value])
    elif isinstance(value, dict):
        yield from _stored([*value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _stored(one)

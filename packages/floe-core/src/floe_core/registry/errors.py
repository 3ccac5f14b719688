"""One error for each way in which a plugin cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.errors import ExitCode, FloeError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from floe_core.plugins.interface import PluginType
    from floe_core.registry.declarations import PluginEntry


class RegistryError(FloeError):
    """A plugin cannot be had."""

    exit_code = ExitCode.WRONG

    def __init__(self, what: str, *, where: str = "", why: str = "", remedy: str = "", nearest: str = "") -> None:
        super().__init__(what, where=where, why=why, remedy=remedy)
        self.nearest = nearest


class PluginNotFoundError(RegistryError):
    """No installed distribution declares it; `nearest` is the name that was probably meant."""

    exit_code = ExitCode.MISSING


class DuplicatePluginError(RegistryError):
    """The same name is declared twice for the same type."""


class BrokenDeclarationError(RegistryError):
    """A distribution declares it in a way that cannot be used; nothing of it was imported."""


class BrokenPluginError(RegistryError):
    """Its module cannot be imported, or what the entry point names is no plugin of that type."""


class IncompatiblePluginError(RegistryError):
    """It was written for another plugin API."""


class PluginConfigError(RegistryError):
    """Its own schema (`model`) refuses the configuration; `validation` holds pydantic's findings."""

    def __init__(self, what: str, validation: ValidationError, model: type[BaseModel]) -> None:
        first = validation.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        super().__init__(what, why=f"{place}: {first['msg']}", remedy="correct the configuration")
        self.validation = validation
        self.model = model


class MissingDependencyError(RegistryError):
    """`entry` depends on a plugin of the type `needed`, and none is chosen."""

    exit_code = ExitCode.MISSING

    def __init__(self, entry: PluginEntry, needed: PluginType, why: str) -> None:
        super().__init__(
            f"the plugin {entry.name!r} of type {entry.type} needs a plugin of type {needed}, and none is chosen",
            where=f"{entry.distribution} {entry.version}",
            why=why,
            remedy=f"choose one under plugins.{needed}, or another plugin of type {entry.type}",
        )
        self.entry = entry
        self.needed = needed


class CyclicDependencyError(RegistryError):
    """Plugins that wait for each other; `cycle` holds them, each before the one that it needs."""

    def __init__(self, cycle: tuple[PluginEntry, ...]) -> None:
        chain = " -> ".join(f"{one.type} {one.name!r}" for one in (*cycle, cycle[0]))
        owners = ", ".join(dict.fromkeys(f"{one.distribution} {one.version}" for one in cycle))
        super().__init__(
            f"plugins depend on each other: {chain}",
            where=owners,
            why="each needs the next one started before it" if len(cycle) > 1 else "it needs itself started before it",
            remedy="choose another plugin for one of these types, or repair the `dependencies` of one",
        )
        self.cycle = cycle

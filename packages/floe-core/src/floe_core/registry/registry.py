"""The registry: what is installed, loaded on demand and held to its contract.

One registry belongs to one compilation. It keeps no instance, and there is no global one.
"""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from floe_core.errors import FloeError
from floe_core.plugins import ABCS
from floe_core.plugins.interface import API_VERSION, PluginConfig, PluginMetadata, PluginType
from floe_core.registry.discovery import discover
from floe_core.registry.errors import (
    BrokenPluginError,
    DuplicatePluginError,
    IncompatiblePluginError,
    PluginConfigError,
    PluginNotFoundError,
)
from floe_core.spec.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from floe_core.registry.discovery import PluginEntry


@dataclass(frozen=True)
class ResolvedPlugin:
    """A configured plugin and where it came from.

    Attributes:
        entry: Its declaration.
        instance: The plugin.
    """

    entry: PluginEntry
    instance: PluginMetadata[Any]


_API = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\Z")


class Registry:
    """Installed plugins by (type, name).

    Args:
        entries: What is declared; everything that is installed by default.
    """

    def __init__(self, entries: Iterable[PluginEntry] | None = None) -> None:
        self._entries = tuple(sorted(discover() if entries is None else entries))
        self._classes: dict[tuple[PluginType, str], type[PluginMetadata[Any]]] = {}

    def entries(self, kind: PluginType | None = None) -> tuple[PluginEntry, ...]:
        """What is declared, of one type or of all; imports nothing."""
        return tuple(entry for entry in self._entries if kind is None or entry.type is kind)

    def find(self, kind: PluginType, name: str) -> PluginEntry:
        """The declaration of one plugin; imports nothing.

        Raises:
            PluginNotFoundError: Nobody declares it.
            DuplicatePluginError: Two distributions declare it.
        """
        found = [entry for entry in self.entries(kind) if entry.name == name]
        if not found:
            raise self._missing(kind, name)
        if len(found) > 1:
            raise DuplicatePluginError(
                f"two plugins of type {kind} are named {name!r}",
                where=f"entry points {kind.entry_point_group}",
                why=" and ".join(f"{entry.distribution} {entry.version} ({entry.target})" for entry in found),
                remedy="uninstall one of them",
            )
        return found[0]

    def load(self, kind: PluginType, name: str) -> type[PluginMetadata[Any]]:
        """The class of one plugin, imported and held to its contract.

        Raises:
            PluginNotFoundError: Nobody declares it.
            DuplicatePluginError: Two distributions declare it.
            BrokenPluginError: It cannot be imported, or is no plugin of that type.
            IncompatiblePluginError: It was written for another plugin API.
        """
        key = (kind, name)
        if key not in self._classes:
            entry = self.find(kind, name)
            self._classes[key] = _checked(entry, _imported(entry))
        return self._classes[key]

    def create(self, kind: PluginType, name: str, config: Mapping[str, Any]) -> ResolvedPlugin:
        """A new instance of one plugin with a configuration that its schema took.

        Raises:
            PluginConfigError: The schema refuses the configuration.
            BrokenPluginError: The constructor fails.
            RegistryError: As `load`.
        """
        plugin = self.load(kind, name)
        try:
            validated = plugin.config_model.model_validate(dict(config))
        except ValidationError as error:
            what = f"the configuration of {kind} {name!r} is refused"
            raise PluginConfigError(what, error, plugin.config_model) from None
        entry = self.find(kind, name)
        try:
            return ResolvedPlugin(entry, plugin(validated))
        except FloeError:
            raise
        except Exception as error:  # a plugin's constructor is foreign code and can raise anything
            raise _broken(entry, f"{entry.target} cannot be constructed: {type(error).__name__}") from error

    def _missing(self, kind: PluginType, name: str) -> PluginNotFoundError:
        installed = [entry.name for entry in self.entries(kind)]
        near = nearest(name, installed)
        known = f"installed of this type: {', '.join(installed)}" if installed else "none of this type is installed"
        return PluginNotFoundError(
            f"no plugin of type {kind} is named {name!r}",
            where=f"entry points {kind.entry_point_group}",
            why=known,
            remedy=f"write {near}" if near else f"install a distribution that declares it (often floe-{kind}-{name})",
            nearest=near,
        )


def _imported(entry: PluginEntry) -> object:
    module, _, attribute = entry.target.partition(":")
    try:
        loaded: object = importlib.import_module(module.strip())
        for part in attribute.strip().split("."):
            loaded = getattr(loaded, part)
    except Exception as error:  # a plugin's module is foreign code and can raise anything
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise _broken(entry, f"{entry.target} cannot be imported: {why}") from error
    return loaded


def _checked(entry: PluginEntry, loaded: object) -> type[PluginMetadata[Any]]:
    abc = ABCS[entry.type]
    if not (isinstance(loaded, type) and issubclass(loaded, abc)):
        raise _broken(entry, f"{entry.target} is no subclass of {abc.__name__}")
    if inspect.isabstract(loaded):
        missing = ", ".join(sorted(loaded.__abstractmethods__))
        raise _broken(entry, f"{entry.target} does not implement {missing}")
    if unsaid := [word for word in _promised(abc) if not hasattr(loaded, word)]:
        raise _broken(entry, f"{entry.target} does not say its {', '.join(unsaid)}")
    if loaded.name != entry.name:
        raise _broken(entry, f"the entry point is named {entry.name!r}, the class says {loaded.name!r}")
    model: object = loaded.config_model
    if not (isinstance(model, type) and issubclass(model, PluginConfig)):
        raise _broken(entry, f"the config_model of {entry.target} is no PluginConfig")
    _check_api(entry, loaded.floe_api_version)
    return loaded


def _promised(abc: type[PluginMetadata[Any]]) -> list[str]:
    """The class attributes that an ABC and its base declare and leave to the plugin."""
    declared = {name: text for base in reversed(abc.__mro__) for name, text in inspect.get_annotations(base).items()}
    return [name for name, text in declared.items() if str(text).startswith("ClassVar")]


def _check_api(entry: PluginEntry, declared: str) -> None:
    match = _API.match(declared)
    major, minor = (int(part) for part in API_VERSION.split("."))
    if match is None:
        raise _broken(entry, f"floe_api_version is {declared!r}, and not of the form 1.0")
    if int(match[1]) != major or int(match[2]) > minor:
        raise IncompatiblePluginError(
            f"the plugin {entry.name!r} of type {entry.type} does not fit this floe_core",
            where=f"{entry.distribution} {entry.version}",
            why=f"it was written for plugin API {declared}, and this is {API_VERSION}",
            remedy=f"install a version of {entry.distribution} for API {API_VERSION}, or another floe_core",
        )


def _broken(entry: PluginEntry, why: str) -> BrokenPluginError:
    return BrokenPluginError(
        f"the plugin {entry.name!r} of type {entry.type} is broken",
        where=f"{entry.distribution} {entry.version}",
        why=why,
        remedy=f"reinstall or repair {entry.distribution}",
    )

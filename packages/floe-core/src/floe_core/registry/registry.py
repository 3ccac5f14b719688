"""The registry: what is installed, loaded on demand and held to its contract.

One registry belongs to one compilation. It keeps no instance, and there is no global one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from floe_core.errors import FloeError
from floe_core.registry import loading
from floe_core.registry.discovery import scan
from floe_core.registry.errors import (
    BrokenDeclarationError,
    DuplicatePluginError,
    PluginConfigError,
    PluginNotFoundError,
)
from floe_core.spec.problems import nearest
from floe_core.spec.secrets import STORE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from floe_core.plugins.interface import PluginConfig, PluginMetadata, PluginType
    from floe_core.registry.declarations import PluginEntry, UnreadableDistribution
    from floe_core.spec.secrets import SecretStore


@dataclass(frozen=True)
class ResolvedPlugin:
    """A configured plugin and where it came from.

    Attributes:
        entry: Its declaration.
        instance: The plugin.
    """

    entry: PluginEntry
    instance: PluginMetadata[Any]


class Registry:
    """Installed plugins by (type, name).

    Args:
        entries: What is declared; everything that is installed by default.
        unreadable: Distributions that do not say what they declare; found with the entries by default.
    """

    def __init__(
        self, entries: Iterable[PluginEntry] | None = None, unreadable: Iterable[UnreadableDistribution] = ()
    ) -> None:
        if entries is None:
            entries, unreadable = scan()
        self._entries = tuple(sorted(entries))
        self._unreadable = tuple(sorted(unreadable))
        self._classes: dict[tuple[PluginType, str], type[PluginMetadata[Any]]] = {}

    @property
    def unreadable(self) -> tuple[UnreadableDistribution, ...]:
        """Distributions whose metadata cannot be read: they may declare plugins that nobody sees."""
        return self._unreadable

    def entries(self, kind: PluginType | None = None) -> tuple[PluginEntry, ...]:
        """What is declared, of one type or of all, flawed declarations included; imports nothing."""
        return tuple(entry for entry in self._entries if kind is None or entry.type is kind)

    def find(self, kind: PluginType, name: str) -> PluginEntry:
        """The declaration of one plugin; imports nothing.

        Raises:
            PluginNotFoundError: Nobody declares it.
            DuplicatePluginError: It is declared twice.
            BrokenDeclarationError: The declaration cannot be used, or its distribution cannot be read.
        """
        found = [entry for entry in self.entries(kind) if entry.name == name]
        if not found:
            raise self._missing(kind, name)
        if len(found) > 1:
            raise _duplicate(found)
        if found[0].flaw:
            raise _flawed(found[0])
        return found[0]

    def load(self, kind: PluginType, name: str) -> type[PluginMetadata[Any]]:
        """The class of one plugin, imported and held to its contract.

        Raises:
            BrokenPluginError: It cannot be imported, or is no plugin of that type.
            IncompatiblePluginError: It was written for another plugin API.
            RegistryError: As `find`.
        """
        key = (kind, name)
        if key not in self._classes:
            self._classes[key] = loading.load(self.find(kind, name))
        return self._classes[key]

    def create(
        self, kind: PluginType, name: str, config: Mapping[str, Any], *, secrets: SecretStore | None = None
    ) -> ResolvedPlugin:
        """A new instance of one plugin with a configuration that its schema took.

        Args:
            kind: Its type.
            name: Its name.
            config: What the manifest gives it.
            secrets: Where references `{secret: NAME}` in the configuration look, usually `get` of the chosen secrets
                plugin. Nothing is looked up before the plugin asks for the value.

        Raises:
            PluginConfigError: The schema refuses the configuration.
            BrokenPluginError: The schema or the constructor fails.
            RegistryError: As `load`.
        """
        plugin = self.load(kind, name)
        entry = self.find(kind, name)
        validated = _validated(entry, plugin.config_model, config, secrets)
        try:
            return ResolvedPlugin(entry, plugin(validated))
        except FloeError:
            raise
        except Exception as error:  # a plugin's constructor is foreign code and can raise anything
            raise loading.broken(entry, f"{entry.target} cannot be constructed: {type(error).__name__}") from error

    def _missing(self, kind: PluginType, name: str) -> PluginNotFoundError | BrokenDeclarationError:
        installed = [entry.name for entry in self.entries(kind)]
        near = nearest(name, installed)
        known = f"installed of this type: {', '.join(installed)}" if installed else "none of this type is installed"
        expected = f"floe-{kind}-{name}".replace("_", "-")
        for silent in self._unreadable:
            if silent.name.replace("_", "-").lower() == expected:
                return _unreadable(kind, name, silent)
        if self._unreadable:
            known += f"; not readable: {', '.join(one.where for one in self._unreadable)}"
        return PluginNotFoundError(
            f"no plugin of type {kind} is named {name!r}",
            where=f"entry points {kind.entry_point_group}",
            why=known,
            remedy=f"write {near}" if near else f"install a distribution that declares it (often {expected})",
            nearest=near,
        )


def _validated(
    entry: PluginEntry, model: type[PluginConfig], config: Mapping[str, Any], secrets: SecretStore | None
) -> PluginConfig:
    try:
        return model.model_validate(dict(config), context={STORE_KEY: secrets})
    except ValidationError as error:
        what = f"the configuration of {entry.type} {entry.name!r} is refused"
        raise PluginConfigError(what, error, model) from None
    except FloeError:
        raise
    except Exception as error:  # validators are the plugin's own code and can raise anything
        raise loading.broken(entry, f"{model.__name__} fails on its configuration: {type(error).__name__}") from error


def _duplicate(found: list[PluginEntry]) -> DuplicatePluginError:
    one = found[0]
    owners = sorted({entry.distribution for entry in found})
    return DuplicatePluginError(
        f"two plugins of type {one.type} are named {one.name!r}",
        where=f"entry points {one.type.entry_point_group}",
        why=" and ".join(f"{entry.distribution} {entry.version} ({entry.target})" for entry in found),
        remedy=f"uninstall one of {', '.join(owners)}"
        if len(owners) > 1
        else f"uninstall {one.distribution} and "
        "install it once; where it declares the name twice itself, that has to be repaired",
    )


def _flawed(entry: PluginEntry) -> BrokenDeclarationError:
    return BrokenDeclarationError(
        f"the plugin {entry.name!r} of type {entry.type} is not declared as it should be",
        where=f"{entry.distribution} {entry.version}".strip(),
        why=entry.flaw,
        remedy=f"reinstall or repair {entry.distribution}",
    )


def _unreadable(kind: PluginType, name: str, silent: UnreadableDistribution) -> BrokenDeclarationError:
    return BrokenDeclarationError(
        f"whether there is a plugin {name!r} of type {kind} cannot be known",
        where=silent.where,
        why=f"the metadata of {silent.name} cannot be read: {silent.why}",
        remedy=f"make that folder readable, or reinstall {silent.name}",
    )

"""Imports the class that an entry point names and holds it to its contract."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any, Final

from floe_core.plugins import ABCS
from floe_core.plugins.interface import API_VERSION, PluginConfig, PluginMetadata, PluginType
from floe_core.registry.errors import BrokenPluginError, IncompatiblePluginError

if TYPE_CHECKING:
    from floe_core.registry.declarations import PluginEntry

_API: Final = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\Z")


def load(entry: PluginEntry) -> type[PluginMetadata[Any]]:
    """The class of one declared plugin.

    Raises:
        BrokenPluginError: It cannot be imported, or is no plugin of that type.
        IncompatiblePluginError: It was written for another plugin API.
    """
    return _checked(entry, _imported(entry))


def broken(entry: PluginEntry, why: str, remedy: str = "") -> BrokenPluginError:
    """The error of a plugin that is installed and cannot be used."""
    return BrokenPluginError(
        f"the plugin {entry.name!r} of type {entry.type} is broken",
        where=f"{entry.distribution} {entry.version}",
        why=why,
        remedy=remedy or f"reinstall or repair {entry.distribution}",
    )


def _imported(entry: PluginEntry) -> object:
    module, _, attribute = entry.target.partition(":")
    try:
        loaded: object = importlib.import_module(module)
        for part in attribute.split("."):
            loaded = getattr(loaded, part)
    except ModuleNotFoundError as error:
        raise _missing_module(entry, error) from error
    except (Exception, SystemExit) as error:  # a plugin's module is foreign code and can raise anything
        raise broken(entry, f"{entry.target} cannot be imported: {_first_line(error)}") from error
    return loaded


def _missing_module(entry: PluginEntry, error: ModuleNotFoundError) -> BrokenPluginError:
    """A module that is missing may be the plugin's own, or one that it should have brought along."""
    package, missing = entry.target.partition(":")[0].partition(".")[0], (error.name or "").partition(".")[0]
    why = f"{entry.target} cannot be imported: {_first_line(error)}"
    if not missing or missing == package:
        return broken(entry, why)
    return broken(entry, why, f"install what provides the module {missing}, or reinstall {entry.distribution} whole")


# Words of Python itself, or meant to be read at the end of a process. Any other error of foreign code may quote what
# it worked on, a secret for example, so it is told by its kind alone.
_TOLD: Final = (ImportError, SyntaxError, NameError, AttributeError, TypeError, SystemExit)


def _first_line(error: BaseException) -> str:
    try:
        words = str(error).strip().splitlines() if isinstance(error, _TOLD) else []
    except Exception:  # noqa: BLE001 - foreign code, which can also fail to say what is wrong with it
        words = []
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__


def _checked(entry: PluginEntry, loaded: object) -> type[PluginMetadata[Any]]:
    abc = ABCS[entry.type]
    if not (isinstance(loaded, type) and issubclass(loaded, abc)):
        raise broken(entry, f"{entry.target} is no subclass of {abc.__name__}")
    if inspect.isabstract(loaded):
        missing = ", ".join(sorted(loaded.__abstractmethods__))
        raise broken(entry, f"{entry.target} does not implement {missing}")
    if unsaid := [word for word in _promised(abc) if not hasattr(loaded, word)]:
        raise broken(entry, f"{entry.target} does not say its {', '.join(unsaid)}")
    _check_api(entry, loaded.floe_api_version)
    _check_values(entry, loaded)
    return loaded


def _check_values(entry: PluginEntry, loaded: type[PluginMetadata[Any]]) -> None:
    if loaded.plugin_type is not entry.type:
        raise broken(entry, f"the entry point is of type {entry.type}, the class says {loaded.plugin_type}")
    if loaded.name != entry.name:
        raise broken(entry, f"the entry point is named {entry.name!r}, the class says {loaded.name!r}")
    model: object = loaded.config_model
    if not (isinstance(model, type) and issubclass(model, PluginConfig)):
        raise broken(entry, f"the config_model of {entry.target} is no PluginConfig")
    needed: object = loaded.dependencies
    if not (isinstance(needed, tuple) and all(isinstance(one, PluginType) for one in needed)):
        raise broken(entry, f"the dependencies of {entry.target} are no tuple of PluginType")


def _promised(abc: type[PluginMetadata[Any]]) -> list[str]:
    """The class attributes that an ABC and its base declare and leave to the plugin."""
    declared = {name: text for base in reversed(abc.__mro__) for name, text in inspect.get_annotations(base).items()}
    return [name for name, text in declared.items() if str(text).startswith("ClassVar")]


def _check_api(entry: PluginEntry, declared: object) -> None:
    match = _API.match(declared) if isinstance(declared, str) else None
    major, minor = (int(part) for part in API_VERSION.split("."))
    if match is None:
        raise broken(entry, f"floe_api_version is {declared!r}, and not of the form 1.0")
    if int(match[1]) != major or int(match[2]) > minor:
        raise IncompatiblePluginError(
            f"the plugin {entry.name!r} of type {entry.type} does not fit this floe_core",
            where=f"{entry.distribution} {entry.version}",
            why=f"it was written for plugin API {declared}, and this is {API_VERSION}",
            remedy=f"install a version of {entry.distribution} for API {API_VERSION}, or another floe_core",
        )

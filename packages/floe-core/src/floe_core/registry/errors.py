"""One error for each way in which a plugin cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.errors import ExitCode, FloeError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


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
    """Two distributions declare the same name for the same type."""


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

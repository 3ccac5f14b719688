"""Lineage back end: takes OpenLineage run events."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping


class LineageError(FloeError):
    """An event could not be delivered; holds the transport's answer."""

    exit_code = ExitCode.WRONG


class LineageBackendPlugin(PluginMetadata[C]):
    """A receiver of lineage."""

    plugin_type: ClassVar[PluginType] = PluginType.LINEAGE_BACKEND

    @abstractmethod
    def emit(self, event: Mapping[str, Any]) -> None:
        """Deliver one OpenLineage `RunEvent` (its JSON form).

        Raises:
            LineageError: It was not accepted.
        """

"""Telemetry back end: sets up the OpenTelemetry SDK of a process and gets its spans out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping


class TelemetryError(FloeError):
    """The SDK cannot be set up as configured."""

    exit_code = ExitCode.WRONG


class TelemetrySession(Protocol):
    """A set-up SDK; ends with the process at the latest."""

    def flush(self, timeout_s: float) -> bool:
        """Export what is pending, within `timeout_s` seconds; False when something is still pending."""

    def shutdown(self) -> None:
        """Flush and let go of threads and connections; safe to call twice."""


class TelemetryBackendPlugin(PluginMetadata[C]):
    """A place that spans go to."""

    plugin_type: ClassVar[PluginType] = PluginType.TELEMETRY_BACKEND

    @abstractmethod
    def start(self, service_name: str, attributes: Mapping[str, str] | None = None) -> TelemetrySession:
        """Set up tracing for this process as `service_name`, with resource `attributes`.

        Spans are never lost in silence: what cannot be sent is kept or told.

        Raises:
            TelemetryError: Another provider is already set, or the configuration cannot work.
        """

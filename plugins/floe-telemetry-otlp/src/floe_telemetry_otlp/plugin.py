"""The plugin that manifests choose as `otlp`: traces over OTLP/HTTP, kept on disk while no collector answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from floe_core.plugins import (
    HealthState,
    HealthStatus,
    PluginConfig,
    TelemetryBackendPlugin,
    TelemetryError,
    TelemetrySession,
)
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_telemetry_otlp.provider import Telemetry


class OTLPConfig(PluginConfig):
    """Configuration of the plugin.

    Attributes:
        endpoint: Base URL of the collector's OTLP/HTTP receiver; by default what `OTEL_EXPORTER_OTLP_ENDPOINT`
            names when spans are exported.
        spool: Folder for spans that no collector takes; relative to the working directory.
    """

    endpoint: str | None = Field(default=None, description="Base URL of the collector's OTLP/HTTP receiver")
    spool: Path = Field(default=Path(".floe/spool"), description="Folder for spans that wait for a collector")


class OTLPTelemetryPlugin(TelemetryBackendPlugin[OTLPConfig]):
    """Traces over OTLP/HTTP, with a spool on disk."""

    name: ClassVar[str] = "otlp"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    description: ClassVar[str] = "Traces over OTLP/HTTP, spooled on disk while no collector answers"
    config_model: ClassVar[type[PluginConfig]] = OTLPConfig

    def start(self, service_name: str, attributes: Mapping[str, str] | None = None) -> TelemetrySession:
        """Set up tracing for this process as `service_name`, with resource `attributes`.

        Raises:
            TelemetryError: The endpoint is no http or https URL.
        """
        from floe_telemetry_otlp.provider import install
        from floe_telemetry_otlp.wire import environment_url, traces_url

        endpoint = self._endpoint()
        telemetry = install(
            spool=self.config.spool.absolute(),
            url=(lambda: traces_url(endpoint)) if endpoint else environment_url,
            service=service_name,
            attributes=attributes,
        )
        return _Session(telemetry)

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Whether the collector takes an empty trace request within `timeout_s` seconds."""
        from floe_telemetry_otlp.wire import environment_url, post, traces_url

        endpoint = self._endpoint()
        url = traces_url(endpoint) if endpoint else environment_url()
        if url is None:
            return HealthStatus(HealthState.DEGRADED, "no collector is named; spans go to the spool")
        answer = post(url, b"", timeout_s=timeout_s)
        if answer.state == "accepted":
            return HealthStatus(HealthState.HEALTHY, "the collector takes traces")
        return HealthStatus(HealthState.UNHEALTHY, answer.reason)

    def _endpoint(self) -> str | None:
        endpoint = self.config.endpoint
        if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
            raise TelemetryError(
                "the collector's endpoint is no http or https URL",
                where="plugins.telemetry_backend.config.endpoint",
                why=f"its scheme is {urlsplit(endpoint).scheme!r}",
                remedy="name the OTLP/HTTP receiver, for example http://127.0.0.1:4318",
            )
        return endpoint


class _Session:
    """The set-up tracing of a process, as the ABC hands it out."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def flush(self, timeout_s: float) -> bool:
        """Export what is pending; False when spans wait in the spool."""
        return not self._telemetry.flush(deadline_s=timeout_s).left

    def shutdown(self) -> None:
        """Flush and end the exporting thread."""
        self._telemetry.shutdown()

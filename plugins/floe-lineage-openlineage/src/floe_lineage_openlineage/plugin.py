"""The plugin that manifests choose as `openlineage`: run events to a file, or to a server that takes them over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from floe_core.errors import FloeError
from floe_core.plugins import (
    HealthState,
    HealthStatus,
    LineageBackendPlugin,
    PluginConfig,
)
from floe_core.spec.secrets import SecretRef, Setting
from floe_core.telemetry import span
from pydantic import Field, field_validator

from floe_lineage_openlineage.urls import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_lineage_openlineage.delivery import Delivery

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=300)]


class FileTransport(PluginConfig):
    """Events go into a file, or each into its own.

    Attributes:
        type: `file`.
        path: The file that lines are appended to, or the folder for a file an event; relative to the working directory.
        layout: `lines`: one file, one line of JSON an event. `files`: one file an event.
        lock_timeout_s: Seconds to wait for other writers of the file.
    """

    type: Literal["file"] = "file"
    path: Path = Field(default=Path(".floe/lineage/events.jsonl"), description="The file, or the folder for files")
    layout: Literal["lines", "files"] = "lines"
    lock_timeout_s: Seconds = 10.0


class HttpTransport(PluginConfig):
    """Events are posted to a server such as Marquez.

    A bundle of certificates that `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE` or `SSL_CERT_FILE` names is used.

    Attributes:
        type: `http`.
        url: The server's base URL, or a reference to it.
        endpoint: The path that takes events, below the base.
        api_key: Where the key lies that is sent as a bearer token.
        timeout_s: Seconds for a connection, and for each silence of the server.
        deadline_s: Seconds for one event: no attempt begins after them, and none waits longer than what is left.
        compress: Send gzip.
        allow_http: Send the key without encryption to other machines too.
    """

    type: Literal["http"]
    url: Setting
    endpoint: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^/\s:?#][^\s:?#]*$")] = "api/v1/lineage"
    api_key: SecretRef | None = None
    timeout_s: Seconds = 5.0
    deadline_s: Seconds = 20.0
    compress: bool = False
    allow_http: bool = False

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: Setting) -> Setting:
        return checked(value) if isinstance(value, str) else value


class OpenLineageConfig(PluginConfig):
    """Configuration of the plugin.

    Attributes:
        transport: Where events go.
    """

    transport: Annotated[FileTransport | HttpTransport, Field(discriminator="type")] = Field(
        default_factory=FileTransport  # made when it is asked for: importing builds no validator
    )


class OpenLineagePlugin(LineageBackendPlugin[OpenLineageConfig]):
    """OpenLineage run events, checked against the specification before they leave."""

    name: ClassVar[str] = "openlineage"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.lineage.openlineage"
    description: ClassVar[str] = "OpenLineage run events to a file or an HTTP endpoint such as Marquez"
    config_model: ClassVar[type[PluginConfig]] = OpenLineageConfig

    def emit(self, event: Mapping[str, Any]) -> None:
        """Deliver one `RunEvent` (its JSON form); when this returns it is on the disk, or the server took it.

        Raises:
            LineageError: The event is not as the specification wants it (`where` is the place in it), or it was not
                taken; holds the last answer.
            SecretUnavailableError: A reference in the configuration points to nothing.
        """
        from floe_lineage_openlineage.schema import check

        kind = event.get("eventType")
        known: dict[str, str] = {"lineage.event_type": kind} if isinstance(kind, str) else {}
        with span("lineage.emit", **{"lineage.transport": self.config.transport.type, **known}):
            text = check(event)
            self._delivery().deliver(event, text)

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Whether the server answers, or the folder can be written to, within `timeout_s` seconds."""
        with span("lineage.health", **{"lineage.transport": self.config.transport.type}):
            try:
                message = self._delivery().probe(timeout_s)
            except FloeError as error:
                return HealthStatus(HealthState.UNHEALTHY, f"{error.what}: {error.why}")
        return HealthStatus(HealthState.HEALTHY, message)

    def _delivery(self) -> Delivery:
        transport = self.config.transport
        if isinstance(transport, FileTransport):
            from floe_lineage_openlineage.files import FileDelivery

            return FileDelivery(transport)
        from floe_lineage_openlineage.http import HttpDelivery

        return HttpDelivery(transport)

"""Alerts as lines of a file: a whole plugin, and what every plugin has.

Its configuration is a pydantic model, so `floe validate` points at the line of a manifest that it refuses. Only the
standard library, pydantic and floe_core are imported here: discovering a plugin costs nothing, loading one little.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from floe_core.plugins import AlertChannelPlugin, AlertDeliveryError, HealthState, HealthStatus, PluginConfig
from floe_core.telemetry import span
from pydantic import Field

if TYPE_CHECKING:
    from floe_core.plugins import Alert


class FileConfig(PluginConfig):
    """Where alerts go.

    Attributes:
        path: The file; each alert becomes one line of JSON at its end. Its folder has to exist.
    """

    path: Path = Field(description="a file in a folder that exists", examples=["alerts.jsonl"])


class FilePlugin(AlertChannelPlugin[FileConfig]):
    """Appends alerts to a file."""

    name: ClassVar[str] = "file"
    version: ClassVar[str] = "1.0.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.alert.file"
    description: ClassVar[str] = "Appends each alert to a file, as one line of JSON."
    config_model: ClassVar[type[PluginConfig]] = FileConfig

    def send(self, alert: Alert) -> None:
        """Append `alert`; the line is written at once or not at all.

        Raises:
            AlertDeliveryError: The file cannot be written to.
        """
        line = json.dumps(
            {
                "title": alert.title,
                "severity": alert.severity.value,
                "product": alert.product,
                "occurred_at": alert.occurred_at.isoformat(),
                "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
                "labels": dict(alert.labels),
                "details": dict(alert.details),
                "link": alert.link,
            }
        )
        with span("alert.send", **{"floe.alert.channel": self.name}):
            try:
                place = os.open(self.config.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    # One call and O_APPEND: two processes that alert at once do not mix their lines.
                    os.write(place, f"{line}\n".encode())
                finally:
                    os.close(place)
            except OSError as error:
                raise AlertDeliveryError(
                    f"the alert {alert.title!r} was not written",
                    where=str(self.config.path),
                    why=error.strerror or type(error).__name__,
                    remedy="make the folder, or give another path under plugins.alert_channel.config",
                ) from error

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Whether the file's folder is there and can be written to; asks no service, so `timeout_s` is not needed."""
        del timeout_s
        folder = self.config.path.resolve().parent
        if os.access(folder, os.W_OK):
            return HealthStatus(HealthState.HEALTHY, f"{folder} can be written to")
        return HealthStatus(HealthState.UNHEALTHY, f"{folder} cannot be written to")

"""Alert channel: tells people that something is wrong."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class AlertDeliveryError(FloeError):
    """The alert was not accepted, after all retries; holds the channel's last answer."""

    exit_code = ExitCode.WRONG


class Severity(StrEnum):
    """How much an alert matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Alert:
    """One thing that people should know.

    Attributes:
        title: One line.
        severity: How much it matters.
        product: The product concerned.
        occurred_at: When, in UTC.
        details: What was expected and what was seen, by name; never a secret.
    """

    title: str
    severity: Severity
    product: str
    occurred_at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


class AlertChannelPlugin(PluginMetadata[C]):
    """A way to reach people."""

    plugin_type: ClassVar[PluginType] = PluginType.ALERT_CHANNEL

    @abstractmethod
    def send(self, alert: Alert) -> None:
        """Deliver `alert`, with the channel's own retries.

        Raises:
            AlertDeliveryError: It was not accepted.
        """

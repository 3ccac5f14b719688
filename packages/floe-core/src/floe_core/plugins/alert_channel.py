"""Alert channel: tells people that something is wrong."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError, UsageError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping


EARLIEST, LATEST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - of any zone: a day's room on both sides


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
        title: One line that names the kind of trouble, the same each time it happens.
        severity: How much it matters.
        product: The product concerned.
        occurred_at: When it began, with its time zone.
        details: What was expected and what was seen, by name; never a secret.
        labels: What tells it from others with the same title, by name, for example `{"model": "mart_orders"}`.
        link: An http or https URL where more is to be seen; empty where there is none.
        resolved_at: When it was over; None while it lasts.

    Raises:
        UsageError: A moment has no time zone, or it was over before it began.
    """

    title: str
    severity: Severity
    product: str
    occurred_at: datetime
    details: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    resolved_at: datetime | None = None

    def __post_init__(self) -> None:
        moments = [self.occurred_at, *([self.resolved_at] if self.resolved_at else [])]
        if any(moment.tzinfo is None for moment in moments):
            raise UsageError("an alert's moments need a time zone", remedy="use datetime.now(UTC)")
        if any(not EARLIEST <= moment.replace(tzinfo=None) <= LATEST for moment in moments):
            raise UsageError("an alert's moments lie between the years 1 and 9999, in every time zone")
        if moments[-1] < moments[0]:
            raise UsageError("an alert cannot be over before it began", why=f"it began at {moments[0].isoformat()}")

    @property
    def identity(self) -> str:
        """What stays the same while one trouble lasts: a digest of product, title and labels, in hexadecimals."""
        named = json.dumps([self.product, self.title, sorted(self.labels.items())])
        return hashlib.sha256(named.encode()).hexdigest()


class AlertChannelPlugin(PluginMetadata[C]):
    """A way to reach people."""

    plugin_type: ClassVar[PluginType] = PluginType.ALERT_CHANNEL

    @abstractmethod
    def send(self, alert: Alert) -> None:
        """Deliver `alert`, with the channel's own retries, in bounded time.

        Sending the same alert again is safe: what tells it apart (`Alert.identity`) goes with it.

        Raises:
            AlertDeliveryError: It was not accepted.
        """

"""Tells people, over the platform's alert channel, that a product has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import FloeError
from floe_core.plugins import Alert, Severity
from floe_core.running.bounded import bounded

if TYPE_CHECKING:
    from datetime import datetime

    from floe_core.plugins import AlertChannelPlugin
    from floe_core.running.outcome import Outcome

SEND_S: Final = 30.0
"""How long a channel may take, its retries included."""
MAX_DETAIL: Final = 500


def alert(outcome: Outcome, at: datetime) -> Alert:
    """The alert for a failed outcome: what, where, why, by name."""
    failure = outcome.failure
    parts = {} if failure is None else {"what": failure.what, "where": failure.where, "why": failure.why}
    details = {name: text[:MAX_DETAIL] for name, text in parts.items() if text}
    failed = [node.name for node in outcome.nodes if node.status in {"error", "fail"}]
    return Alert(
        title=f"floe {outcome.command} of {outcome.product} failed",
        severity=Severity.CRITICAL,
        product=outcome.product,
        occurred_at=at,
        details={
            "lane": outcome.lane.value,
            **details,
            **({"failed": ", ".join(failed)[:MAX_DETAIL]} if failed else {}),
        },
    )


def send(channel: AlertChannelPlugin[Any], outcome: Outcome, at: datetime, timeout_s: float = SEND_S) -> str:
    """Send it; one sentence when it was not accepted, empty when it was."""
    try:
        bounded(f"the alert over {channel.name}", lambda: channel.send(alert(outcome, at)), timeout_s)
    except FloeError as error:
        return " ".join(part for part in ("alert: nobody was told:", error.what, error.why) if part)
    return ""

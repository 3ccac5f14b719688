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
    """The alert for a failed outcome: what, where, why, by name.

    Its labels tell the lane and the models that failed, so the same trouble has the same identity each
    time that it is met, in whatever order dbt's threads met it.
    """
    failure = outcome.failure
    parts = {} if failure is None else {"what": failure.what, "where": failure.where, "why": failure.why}
    details = {name: text[:MAX_DETAIL] for name, text in parts.items() if text}
    failed = outcome.failed_nodes
    models = ", ".join(sorted({(node.test.model if node.test else "") or node.name for node in failed}))
    return Alert(
        title=f"floe {outcome.command} of {outcome.product} failed",
        severity=Severity.CRITICAL,
        product=outcome.product,
        occurred_at=at,
        details={
            **details,
            **({"failed": ", ".join(node.name for node in failed)[:MAX_DETAIL]} if failed else {}),
        },
        labels={
            "lane": outcome.lane.value,
            **({"model": models[:MAX_DETAIL]} if models else {}),
        },
    )


def send(channel: AlertChannelPlugin[Any], outcome: Outcome, at: datetime, timeout_s: float = SEND_S) -> str:
    """Send it; one sentence when it was not accepted, empty when it was."""
    try:
        bounded(f"the alert over {channel.name}", lambda: channel.send(alert(outcome, at)), timeout_s)
    except FloeError as error:
        return " ".join(part for part in ("alert: nobody was told:", error.what, error.why) if part)
    return ""

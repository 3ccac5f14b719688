"""Alertmanager's format: one alert for `POST /api/v2/alerts`.

Labels identify an alert there: the same ones again update it, and the same with an end in the past resolve it.

Contract: Alertmanager's OpenAPI document for v2, and Prometheus's rule for names of labels.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from floe_alert_webhook.texts import clean, cut, line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.plugins import Alert

PATH: Final = "/api/v2/alerts"
READY: Final = "/-/ready"
MAX_NAME, MAX_LABEL, MAX_ANNOTATION, MAX_PAIRS = 100, 1000, 4000, 50
UNNAMED: Final = "unnamed"
_URL = re.compile(r"https?://[\x21-\x24\x26-\x5a\x5f\x61-\x7a~]+\Z")  # what Go's URL parser takes for sure
_OTHER = re.compile(r"[^a-zA-Z0-9_]")


def payload(alert: Alert, *, now: datetime, firing_s: int) -> list[dict[str, Any]]:
    """The body for `alert`.

    Args:
        alert: What to tell.
        now: The present, with its time zone.
        firing_s: How long it fires from `now` on where nobody says that it is over, in seconds.
    """
    began = alert.occurred_at.astimezone(UTC)
    end = alert.resolved_at.astimezone(UTC) if alert.resolved_at else _later(max(began, now), firing_s)
    link = _link(alert.link)
    return [
        {
            "labels": _labels(alert),
            "annotations": _annotations(alert),
            "startsAt": began.isoformat(timespec="milliseconds"),
            "endsAt": end.isoformat(timespec="milliseconds"),
            **({"generatorURL": link} if link else {}),
        }
    ]


def label_name(text: str) -> str:
    """`text` as the name of a label: letters, digits and underscores, no digit and no two underscores in front."""
    name = _OTHER.sub("_", line(text))[:MAX_NAME].strip("_") or UNNAMED
    return f"_{name}" if name[0].isdigit() else name


def _later(moment: datetime, seconds: int) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _labels(alert: Alert) -> dict[str, str]:
    fixed = {
        "alertname": _value(alert.title, MAX_LABEL) or UNNAMED,
        "severity": alert.severity.value,
        "product": _value(alert.product, MAX_LABEL),
    }
    named = _named(alert.labels, taken=fixed, limit=MAX_LABEL)
    return {name: value for name, value in {**fixed, **named}.items() if value}


def _annotations(alert: Alert) -> dict[str, str]:
    fixed = {"summary": _value(alert.title, MAX_ANNOTATION)}
    return {**fixed, **_named(alert.details, taken=fixed, limit=MAX_ANNOTATION)}


def _named(texts: Mapping[str, str], *, taken: Mapping[str, str], limit: int) -> dict[str, str]:
    """The first pairs under names that are valid and differ from each other; sorted, so that they stay the same."""
    found: dict[str, str] = {}
    for name, value in sorted(texts.items())[:MAX_PAIRS]:
        valid = free = label_name(name)
        number = 2
        while free in found or free in taken:
            free = f"{valid}_{number}"
            number += 1
        found[free] = _value(value, limit)
    return found


def _value(text: str, limit: int) -> str:
    return cut(clean(text).strip(), limit)


def _link(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    fit = (
        parts.scheme in {"http", "https"} and parts.hostname and url.isascii() and url.isprintable() and " " not in url
    )
    return url if fit and len(url) <= MAX_ANNOTATION else ""

"""The generic format: one alert as a JSON document with a published schema."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from floe_core.lineage import traceparent
from pydantic import BaseModel, ConfigDict, Field

from floe_alert_webhook.texts import clean, cut, line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.plugins import Alert

MAX_TITLE, MAX_NAME, MAX_VALUE, MAX_PAIRS = 500, 200, 4000, 100


class AlertDocument(BaseModel):
    """One alert. Receivers should ignore fields that they do not know: later minor versions may add some.

    Attributes:
        version: The version of this schema.
        identity: The same while one trouble lasts: 64 hexadecimals.
        status: `firing` while it lasts, `resolved` when it is over.
        title: One line that names the kind of trouble.
        severity: How much it matters.
        product: The product concerned.
        occurred_at: When it began, in UTC.
        resolved_at: When it was over, in UTC; null while it lasts.
        labels: What tells it from others with the same title.
        details: What was expected and what was seen; the first 100.
        omitted: How many details were left out.
        link: Where more is to be seen; empty where there is none.
        traceparent: The W3C trace context of the work; null where there was no trace.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["1.0"] = "1.0"
    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    status: Literal["firing", "resolved"]
    title: Annotated[str, Field(max_length=MAX_TITLE)]
    severity: Literal["info", "warning", "critical"]
    product: Annotated[str, Field(max_length=MAX_NAME)]
    occurred_at: datetime
    resolved_at: datetime | None
    labels: dict[str, Annotated[str, Field(max_length=MAX_VALUE)]]
    details: dict[str, Annotated[str, Field(max_length=MAX_VALUE)]]
    omitted: Annotated[int, Field(ge=0)]
    link: Annotated[str, Field(max_length=MAX_VALUE)]
    traceparent: str | None


def payload(alert: Alert) -> dict[str, object]:
    """The JSON document of `alert`."""
    document = AlertDocument(
        identity=alert.identity,
        status="resolved" if alert.resolved_at else "firing",
        title=cut(line(alert.title), MAX_TITLE),
        severity=alert.severity.value,
        product=cut(line(alert.product), MAX_NAME),
        occurred_at=alert.occurred_at.astimezone(UTC),
        resolved_at=alert.resolved_at.astimezone(UTC) if alert.resolved_at else None,
        labels=_pairs(alert.labels),
        details=_pairs(alert.details),
        omitted=max(0, len(alert.details) - MAX_PAIRS),
        link=cut(line(alert.link), MAX_VALUE),
        traceparent=traceparent(),
    )
    return document.model_dump(mode="json")


def schema() -> dict[str, object]:
    """The JSON Schema of the document; published beside this module as `alert.schema.json`."""
    words = AlertDocument.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **words}


def _pairs(texts: Mapping[str, str]) -> dict[str, str]:
    first = list(texts.items())[:MAX_PAIRS]
    return {cut(line(name), MAX_NAME): cut(clean(value), MAX_VALUE) for name, value in first}

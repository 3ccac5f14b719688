"""Slack's format: Block Kit, within its limits.

Contract: Slack's reference of Block Kit (a header holds 150 characters, a section 3,000, a field 2,000, a section 10
fields, a message 50 blocks) and of formatting (`&`, `<` and `>` are escaped, so that no text mentions anybody or
hides a link).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from floe_core.plugins import Severity

from floe_alert_webhook.texts import ELLIPSIS, clean, cut, line, units

if TYPE_CHECKING:
    from floe_core.plugins import Alert

MAX_HEADER, MAX_SECTION, MAX_FIELD, MAX_FIELDS, MAX_TEXT = 150, 3000, 2000, 10, 4000
MAX_DETAILS, MAX_NAME, MAX_LABELS = 50, 200, 20
NOTHING: Final = "-"
MARKS: Final = {Severity.INFO: "🔵", Severity.WARNING: "⚠️", Severity.CRITICAL: "🚨"}
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def payload(alert: Alert) -> dict[str, Any]:
    """The message of `alert`."""
    state = "resolved" if alert.resolved_at else alert.severity.value
    title = f"{'✅' if alert.resolved_at else MARKS[alert.severity]} {line(alert.title) or NOTHING}"
    when = (alert.resolved_at or alert.occurred_at).astimezone(UTC).isoformat(sep=" ", timespec="seconds")
    product = escaped(line(alert.product), MAX_NAME) or NOTHING
    head = f"*{state}* · product *{product}* · {when}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escaped(title, MAX_HEADER), "emoji": False}},
        {"type": "section", "text": _mrkdwn(head)},
        *_details(alert),
    ]
    notes = [*_labels(alert), *_more(alert), *_link(alert)]
    if notes:
        blocks.append({"type": "context", "elements": [_mrkdwn(cut_notes(notes))]})
    return {"text": escaped(f"[{state}] {line(alert.product)}: {line(alert.title)}", MAX_TEXT), "blocks": blocks}


def escaped(text: str, limit: int) -> str:
    """`text` with Slack's control characters escaped, cut so that no escape is torn and `limit` is kept."""
    pieces: list[str] = []
    left = limit - len(ELLIPSIS)
    whole = "".join(_ESCAPES.get(one, one) for one in text[: limit + 1])
    if len(text) <= limit and units(whole) <= limit:
        return whole
    for one in text:
        piece = _ESCAPES.get(one, one)
        left -= units(piece)
        if left < 0:
            break
        pieces.append(piece)
    return "".join(pieces) + ELLIPSIS


def cut_notes(notes: list[str]) -> str:
    """As many of the notes as a section holds, a line each."""
    kept: list[str] = []
    for note in notes:
        if units("\n".join([*kept, note])) > MAX_SECTION:
            break
        kept.append(note)
    return "\n".join(kept) or NOTHING


def _details(alert: Alert) -> list[dict[str, Any]]:
    shown = list(alert.details.items())[:MAX_DETAILS]
    fields = [_mrkdwn(_pair(name, value)) for name, value in shown]
    rows = (fields[start : start + MAX_FIELDS] for start in range(0, len(fields), MAX_FIELDS))
    return [{"type": "section", "fields": row} for row in rows]


def _pair(name: str, value: str) -> str:
    bold = escaped(line(name).replace("*", ""), MAX_NAME) or NOTHING
    shown = clean(value).strip()
    return f"*{bold}*\n{escaped(shown, MAX_FIELD - MAX_NAME - 10) or NOTHING}"


def _labels(alert: Alert) -> list[str]:
    shown = list(alert.labels.items())[:MAX_LABELS]
    return [f"{escaped(line(name), 40) or NOTHING}: {escaped(line(value), 80) or NOTHING}" for name, value in shown]


def _more(alert: Alert) -> list[str]:
    more = len(alert.details) - MAX_DETAILS
    return [f"and {more} more details"] if more > 0 else []


def _link(alert: Alert) -> list[str]:
    url = line(alert.link)
    plain = url.startswith(("https://", "http://")) and not any(one in url for one in "<>| ")
    whole = "".join(_ESCAPES.get(one, one) for one in url)
    return [f"<{whole}|more>"] if plain and cut(whole, MAX_FIELD) == whole else []


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}

"""The registry of expected failures: each strict, with its reason, a tracking reference and a last day."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_ops import project

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from floe_ops.audits.collected import Test, Xfail

FILE = "xfails.json"
REFERENCE = re.compile(r"(?<![\w#])#\d+\b|\bhttps?://\S+")
UNTIL = re.compile(r"\buntil (\d{4}-\d{2}-\d{2})\b")
HOW = 'write: @pytest.mark.xfail(strict=True, reason="why (#123), until 2026-12-31")'


@dataclass(frozen=True)
class Entry:
    """One expected failure of the registry; `until` is the last day on which it may still be expected."""

    nodeid: str
    reason: str
    until: str


def faults(mark: Xfail, today: date) -> list[str]:
    """What one mark lacks, a clause each; empty for a good one."""
    found = []
    if not mark.strict:
        found.append("is not strict")
    if not REFERENCE.sub("", UNTIL.sub("", mark.reason)).strip(" ,;:()"):
        found.append("has no reason")
    if not REFERENCE.search(mark.reason):
        found.append("has no tracking reference (#123 or a URL)")
    last = until(mark.reason)
    if last is None:
        found.append("has no last day (until YYYY-MM-DD)")
    elif last < today:
        found.append(f"expired on {last}")
    return found


def until(reason: str) -> date | None:
    """The last day that a reason names, or None where it names none or no day of the calendar."""
    match = UNTIL.search(reason)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def audit(tests: Iterable[Test], today: date) -> tuple[Entry, ...]:
    """Hold every mark against the rules and return the registry.

    Raises:
        WrongStateError: Some marks break a rule; each is named.
    """
    marks = [(test.nodeid, mark) for test in tests for mark in test.xfails]
    broken = [f"{nodeid}: {', '.join(texts)}" for nodeid, mark in marks if (texts := faults(mark, today))]
    if broken:
        raise WrongStateError(
            f"{len(broken)} expected failures break the rules", why="\n         ".join(broken), remedy=HOW
        )
    return tuple(Entry(nodeid, mark.reason, str(until(mark.reason))) for nodeid, mark in marks)


def keep(entries: tuple[Entry, ...]) -> Path:
    """Write the registry to `.floe/run/xfails.json`, with the moment at which its first entry expires."""
    earliest = min((date.fromisoformat(entry.until) for entry in entries), default=None)
    moment = datetime.combine(earliest + timedelta(days=1), time.min, UTC) if earliest else None
    folder = project.state() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{FILE}"
    body = {"expires": moment.isoformat() if moment else None, "xfails": [asdict(entry) for entry in entries]}
    half.write_text(json.dumps(body, indent=2), encoding="utf-8")
    return half.replace(folder / FILE)

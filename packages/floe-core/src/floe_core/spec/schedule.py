"""Cron expressions and time zones, checked before an orchestrator meets them.

The five fields of crontab(5), with lists, ranges, steps and the three-letter names; no seconds, no `@daily`,
because orchestrators differ on those.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_PART = re.compile(r"(?P<first>\*|[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?(?:/(?P<step>[0-9]{1,2}))?\Z")
MAX_LENGTH = 200


def check_cron(text: str) -> None:
    """Refuse what is no cron expression of five fields, or can never be due.

    Raises:
        ValueError: With the field and the reason.
    """
    words = text.lower().split()
    if len(words) != len(_FIELDS) or len(text) > MAX_LENGTH:
        raise ValueError(f"a cron expression has five fields (minute hour day month weekday), this one {len(words)}")
    sets = [_expand(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
    days, months = sets[2], sets[3]
    any_weekday = words[4].startswith("*")
    if any_weekday and not any(min(days) <= _LONGEST_MONTH.get(month, 31) for month in months):
        raise ValueError("it is never due: no such day in those months")


def _expand(word: str, title: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    values: set[int] = set()
    for part in word.split(","):
        match = _PART.match(part)
        if match is None:
            raise ValueError(f"the {title} field cannot be {part[:20]!r}")
        values |= _range(match, title, low, high, names)
    return values


def _range(match: re.Match[str], title: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    first, last, step = match["first"], match["last"], match["step"]
    if first == "*" and last is not None:
        raise ValueError(f"the {title} field cannot be {match[0]!r}")
    begin = low if first == "*" else _number(first, title, low, high, names)
    # `5/15` means from 5 on in steps of 15, as `5-59/15` does.
    open_end = high if first == "*" or step else begin
    end = _number(last, title, low, high, names) if last else open_end
    if end < begin:
        raise ValueError(f"the {title} range {match[0]!r} runs backwards")
    if step is not None and int(step) == 0:
        raise ValueError(f"the {title} field has a step of zero")
    return set(range(begin, end + 1, int(step or 1)))


def _number(word: str, title: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(word, -1) if word.isalpha() else int(word)
    if not low <= value <= high:
        raise ValueError(f"the {title} field goes from {low} to {high}, {word!r} is outside")
    return value


def check_timezone(name: str) -> None:
    """Refuse what is no name of the IANA time zone database.

    Raises:
        ValueError: With the reason.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("there is no such time zone in the IANA database") from None


def timezones() -> tuple[str, ...]:
    """All names that `check_timezone` takes; reads the disk, so for messages only."""
    from zoneinfo import available_timezones

    return tuple(sorted(available_timezones()))

"""Numbers as people type them: Invoke would answer a word with a stack trace, so tasks take text and ask here."""

from __future__ import annotations

import math

from floe_core.errors import UsageError

MAX_SECONDS = 86_400.0


def seconds(text: str, option: str) -> float:
    """A duration in seconds, at most a day; `30`, `0.5` and `30s` are understood.

    Raises:
        UsageError: It is no such number.
    """
    cleaned = text.strip().removesuffix("s").strip()
    try:
        value = float(cleaned)
    except ValueError:
        value = math.nan
    if not cleaned.isascii() or "_" in cleaned or not 0 < value <= MAX_SECONDS:
        raise UsageError(
            f"{option} takes seconds, not {text!r}",
            where=option,
            why=f"it must be a number above 0 and at most {MAX_SECONDS:.0f}",
            remedy=f"write for example {option} 60",
        )
    return value


def count(text: str, option: str, *, most: int = 100) -> int:
    """A whole number from 1 to `most`.

    Raises:
        UsageError: It is no such number.
    """
    cleaned = text.strip()
    plain = cleaned.isascii() and cleaned.isdigit() and len(cleaned) <= len(str(most))
    if not plain or not 1 <= int(cleaned) <= most:
        raise UsageError(
            f"{option} takes a whole number, not {text!r}",
            where=option,
            why=f"it must be from 1 to {most}",
            remedy=f"write for example {option} 3",
        )
    return int(cleaned)

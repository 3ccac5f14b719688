"""Text of alerts made fit for receivers: nothing that cannot be encoded or printed, and not too much of it."""

from __future__ import annotations

import re

ELLIPSIS = "…"
# C0 and C1 controls other than tab and line feed, lone surrogates, and the marks that turn text around.
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """`text` with every character that a receiver may choke on replaced."""
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n"))


def line(text: str) -> str:
    """`text` in one line, without white space around it."""
    return " ".join(clean(text).split())


def units(text: str) -> int:
    """The length of `text` as JavaScript and Java count it, which is never less than ours."""
    return len(text) + sum(one > "\uffff" for one in text)


def cut(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `limit` units."""
    if len(text) <= limit and units(text) <= limit:
        return text
    head = text[: limit - 1]
    while units(head) > limit - 1:
        head = head[: len(head) - max(1, (units(head) - limit + 1) // 2)]
    return head + ELLIPSIS

"""The few pieces of Markdown that the reference pages are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A bar would end the cell and an angle bracket would begin a tag; within a code span neither does the latter.
_OUTSIDE_CODE = re.compile(r"(`[^`]*`)")


def cell(text: str) -> str:
    """`text` on one line, with nothing in it that a table or a page would take for markup."""
    parts = _OUTSIDE_CODE.split(" ".join(text.split()))
    safe = [part if part.startswith("`") else part.replace("<", "&lt;") for part in parts]
    return "".join(safe).replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines; empty where there are no rows."""
    body = [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *body] if body else []


def code(text: str) -> str:
    """`text` as a code span; empty stays empty."""
    return f"`{text}`" if text else ""

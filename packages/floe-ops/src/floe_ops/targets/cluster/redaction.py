"""Keep secrets out of what is written about a cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
SHORTEST = 6  # shorter values are words of any text
WORD = r"[\w.-]* (?: password | passwd | secret | token | credential | access[_-]?key | api[_-]?key ) [\w.-]*"
NAMED = re.compile(rf"""(?ix) ( {WORD} ["']? \s* [=:] \s* ["']? ) ( [^\s"',;]{{4,}} )""")
VARIABLE = re.compile(
    rf"""(?ix) ( "name": \s* "{WORD}", \s* "value": \s* ) "[^"]*" """
)  # as a pod's environment has it


class Redactor:
    """Takes known secrets, and what is named like one, out of texts.

    Args:
        secrets: Values that must not appear.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({value for value in secrets if len(value) >= SHORTEST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return NAMED.sub(rf"\1{HIDDEN}", VARIABLE.sub(rf'\1"{HIDDEN}"', text))

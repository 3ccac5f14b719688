"""Names of secrets: what a reference `{secret: NAME}` may hold, and no way out of a folder."""

from __future__ import annotations

import re
from typing import Final

MAX_LENGTH: Final = 253
_PART: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_NAME: Final = re.compile(rf"{_PART}(/{_PART})*\Z")
_SHOWN: Final = 40


def is_valid(name: str) -> bool:
    """Whether `name` has parts of letters, digits, `.`, `_` and `-`, joined by `/`, none of which begins with a dot."""
    return len(name) <= MAX_LENGTH and _NAME.match(name) is not None


def shown(name: str) -> str:
    """The beginning of a name that is none, printable."""
    return ascii(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")

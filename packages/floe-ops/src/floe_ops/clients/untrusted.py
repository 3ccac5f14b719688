"""Reading what came from outside: bounded, and with one kind of error for all that a reader can stumble over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    import requests

MAX_BODY: Final = 64 * 1024 * 1024
"""Bytes of an answer that are read at most."""

SHOWN: Final = 300
"""Characters of an error's words that are repeated at most; those of a number repeat all of its digits."""

STUMBLES: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""What code that expects a shape raises at another one."""

_CHUNK: Final = 1 << 16


def document(text: str | bytes) -> Any:
    """The JSON value in `text`.

    Raises:
        ValueError: It is no JSON, or one that is nested too deeply or holds a number that is too long.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def body(response: requests.Response) -> str:
    """The text of an answer that was asked for with `stream=True`.

    Raises:
        WrongStateError: It is larger than `MAX_BODY`.
        requests.RequestException: It broke off.
    """
    parts: list[bytes] = []
    size = 0
    with response:
        for part in response.iter_content(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > MAX_BODY:
                raise WrongStateError(
                    "an answer is too large",
                    where=response.url,
                    why=f"over {MAX_BODY // 1024 // 1024} MiB",
                    remedy="see that the URL is that of the service",
                )
    return b"".join(parts).decode("utf-8", "replace")


def why(error: Exception) -> str:
    """What a reader stumbled over, in one short line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:SHOWN]

"""One JSON document of an issuer: bounded in time and size, no redirect followed, no credentials sent."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from floe_core.http.guard import guarded
from floe_core.plugins.identity import IdentityError, IdentityTimeoutError, IdentityUnavailableError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

if TYPE_CHECKING:
    from floe_core.http.guard import Guard

MAX_BODY = 1024 * 1024
PIECE = 65_536
ATTEMPTS = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5
OK = 200
REDIRECTS = range(300, 400)
PASSING = frozenset({429, 502, 503, 504})
"""Statuses that may pass by themselves."""


def get_json(url: str, deadline: float) -> dict[str, Any]:
    """The JSON object at `url`; tried again where a failure may pass by itself.

    Args:
        url: Where it is.
        deadline: A `time.monotonic()` moment after which nothing is waited for.

    Raises:
        IdentityUnavailableError: Nobody answers there, or the server is not up.
        IdentityTimeoutError: The answer was not whole in time.
        IdentityError: The answer is a refusal, a redirect, too large, or no JSON object.
    """
    attempts = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S),
        retry=retry_if_exception_type(IdentityUnavailableError),
        reraise=True,
    )
    return _object(url, attempts(_get, url, deadline))


def _get(url: str, deadline: float) -> bytes:
    """The body of one answer."""
    left = max(deadline - time.monotonic(), 0.001)
    with guarded(url, left) as (session, guard):
        try:
            with session.get(url, stream=True, allow_redirects=False, timeout=left, headers=_ACCEPT) as answer:
                _check(url, answer)
                return _whole(url, answer, guard)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _failure(url, error, in_time=not guard.expired) from None


# As it is: a small compressed answer could unfold into a huge one.
_ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}


def _check(url: str, answer: requests.Response) -> None:
    status = answer.status_code
    if status in PASSING:
        raise IdentityUnavailableError("the issuer is not up", where=url, why=f"HTTP {status}", remedy=_LATER)
    if status in REDIRECTS:
        raise _odd(url, f"HTTP {status}, a redirect, which is not followed")
    if status != OK:
        raise _odd(url, f"HTTP {status}")


def _whole(url: str, answer: requests.Response, guard: Guard) -> bytes:
    body = b""
    while piece := answer.raw.read1(PIECE, decode_content=False):
        body += piece
        if len(body) > MAX_BODY:
            raise _odd(url, f"the document is larger than {MAX_BODY} bytes")
    if guard.expired:  # a body without a length ends where its socket was shut
        raise _failure(url, TimeoutError(), in_time=False)
    return body


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _odd(url, "the document is no JSON") from None
    if not isinstance(document, dict):
        raise _odd(url, "the document is no JSON object")
    return document


_LATER = "try again shortly; see that the issuer runs and can be reached from here"


def _odd(url: str, why: str) -> IdentityError:
    return IdentityError(
        "the issuer does not answer as an issuer does",
        where=url,
        why=why,
        remedy="check `issuer`: the URL by which the issuer names itself",
    )


_SIGNS = {
    "Connection refused": "connection refused",
    "NameResolutionError": "the host's name is not known",
    "SSLError": "the TLS handshake failed",
    "Connection aborted": "the connection was closed without an answer",
    "IncompleteRead": "the connection was closed within the answer",
}
"""What is in the text of an error of requests, and what it means."""


def _failure(url: str, error: Exception, *, in_time: bool) -> IdentityError:
    """The error for an answer that did not come, or not whole."""
    text = repr(error)
    if not in_time or isinstance(error, TimeoutError | requests.Timeout) or "timed out" in text:
        return IdentityTimeoutError(
            "the issuer does not answer in time", where=url, why="it is too slow", remedy=_LATER
        )
    why = next((words for sign, words in _SIGNS.items() if sign in text), type(error).__name__)
    return IdentityUnavailableError("the issuer cannot be reached", where=url, why=why, remedy=_LATER)

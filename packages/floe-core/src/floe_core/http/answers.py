"""What a server's answer means, and how it is told to people."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from floe_core.errors import ExitCode, FloeError

if TYPE_CHECKING:
    from collections.abc import Iterable

EXCERPT = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\u2027\u2030-\ud7ff\ue000-\U0010ffff]+")
_PASSING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}) - {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
}


@dataclass(frozen=True)
class Wording:
    """How a failure is told.

    Attributes:
        error: The error's class.
        what: What could not be done.
        where: The server, without anything that is a secret.
        credentials: The remedy where the server refuses the credentials.
        refusal: The remedy where it refuses what was sent.
        silence: The remedy where it cannot be reached.
    """

    error: type[FloeError]
    what: str
    where: str
    credentials: str
    refusal: str
    silence: str = "see that the server runs and can be reached from here"

    def refused(self, status: int, words: str) -> FloeError:
        """The error for an answer that is no success; `words` are of its body."""
        code, remedy = ExitCode.WRONG, self.refusal
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            code, remedy = ExitCode.REFUSED, self.credentials
        elif status < HTTPStatus.BAD_REQUEST:
            remedy = "name the final URL; redirects are not followed"
        return self._error(f"HTTP {status}{f': {words}' if words else ''}", remedy, code)

    def lost(self, error: Exception, timeout_s: float) -> FloeError:
        """The error for a request without an answer; never quotes `error`, which may name the URL or a header."""
        if isinstance(error, requests.exceptions.SSLError):
            return self._error("its certificate cannot be verified", "name its authority in REQUESTS_CA_BUNDLE")
        if isinstance(error, requests.Timeout):
            return self._error(f"no answer within {timeout_s:g} s", self.silence, ExitCode.TIMEOUT)
        if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
            return self._error("the token holds what no header can carry", self.credentials, ExitCode.USAGE)
        return self._error(f"the connection failed ({type(error).__name__})", self.silence, ExitCode.MISSING)

    def over(self) -> FloeError:
        """The error for an exchange that the deadline cut off."""
        return self._error("the time for all attempts was over", self.silence, ExitCode.TIMEOUT)

    def _error(self, why: str, remedy: str, code: ExitCode = ExitCode.WRONG) -> FloeError:
        return self.error(self.what, where=self.where, why=why, remedy=remedy, exit_code=code)


def is_success(status: int) -> bool:
    """Whether the server took what was sent."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def is_passing(status: int) -> bool:
    """Whether the same request may succeed later: too many requests, or a failure of the server."""
    return status in _PASSING


def excerpt(response: requests.Response, secrets: Iterable[str]) -> str:
    """The beginning of an answer's body in one line, without secrets that it may echo.

    What has arrived with the first packet is enough; an endless body is not read to its end.
    """
    try:
        raw = bytes(response.raw.read1(64 * EXCERPT, decode_content=True))
    except (Urllib3Error, OSError, ValueError):
        return ""
    text = raw.decode("utf-8", "replace")
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")  # before it is cut, so that no part of one is left
    words = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return words if len(words) <= EXCERPT else f"{words[:EXCERPT]}…"


def retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to be left alone, a number or a date; 0 where it asks for nothing sensible."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0

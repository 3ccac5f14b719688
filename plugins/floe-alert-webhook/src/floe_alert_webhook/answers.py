"""What a receiver's answer means, and how it is told to people."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
from floe_core.errors import ExitCode
from floe_core.plugins import AlertDeliveryError
from urllib3.exceptions import HTTPError as Urllib3Error

if TYPE_CHECKING:
    from collections.abc import Iterable

EXCERPT = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\u2027\u2030-\ud7ff\ue000-\U0010ffff]+")


def is_passing(status: int) -> bool:
    """Whether the same request may succeed later: too many requests, or a failure of the server."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def excerpt(response: requests.Response, secrets: Iterable[str]) -> str:
    """The beginning of an answer's body in one line, without secrets that it may echo.

    What has arrived with the first packet is enough; an endless body is not read to its end.
    """
    try:
        raw = bytes(response.raw.read1(64 * EXCERPT, decode_content=True))
    except (Urllib3Error, OSError, ValueError):
        return ""
    text = raw.decode("utf-8", "replace")
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    words = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return words if len(words) <= EXCERPT else f"{words[:EXCERPT]}…"


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the receiver asks to be left alone, a number or a date; None where it asks for nothing sensible."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def refused(where: str, response: requests.Response, words: str) -> AlertDeliveryError:
    """The error for an answer that is no success."""
    status = response.status_code
    code, remedy = ExitCode.WRONG, "see the receiver's own log"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        code, remedy = ExitCode.REFUSED, "check the token, the signing secret, and the rights behind the URL"
    elif status < HTTPStatus.BAD_REQUEST:
        remedy = "name the final URL; redirects are not followed"
    elif status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        remedy = "check the URL: the receiver does not know it (any more)"
    return _error(where, f"HTTP {status}{f': {words}' if words else ''}", remedy, code)


def lost(where: str, error: Exception, *, timeout_s: float, expired: bool) -> AlertDeliveryError:
    """The error for a request without an answer; never quotes `error`, which may name the URL."""
    remedy = "see that the receiver runs and can be reached from here"
    if expired:
        return _error(where, "the time for all attempts was over", remedy, ExitCode.TIMEOUT)
    if isinstance(error, requests.exceptions.SSLError):
        return _error(where, "its certificate cannot be verified", "name its authority in REQUESTS_CA_BUNDLE")
    if isinstance(error, requests.Timeout):
        return _error(where, f"no answer within {timeout_s:g} s", remedy, ExitCode.TIMEOUT)
    return _error(where, f"the connection failed ({type(error).__name__})", remedy, ExitCode.MISSING)


def _error(where: str, why: str, remedy: str, code: ExitCode = ExitCode.WRONG) -> AlertDeliveryError:
    return AlertDeliveryError("the alert was not accepted", where=where, why=why, remedy=remedy, exit_code=code)

"""Events to a server: the library's HTTP transport, with retries inside of one deadline.

The library posts, compresses and signs in. What it lacks is here: no redirect is followed, an answer is read only as
far as a message needs it, nothing of the environment but proxies and certificates counts, and all attempts together
are bounded in time.
"""

from __future__ import annotations

import os
import random
import re
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import requests
from floe_core.errors import ExitCode
from floe_core.plugins import LineageError
from floe_core.spec.secrets import resolved
from openlineage.client.transport.http import (
    ApiKeyTokenProvider,
    HttpCompression,
    HttpConfig,
    HttpSslContextConfig,
    HttpTransport,
    TokenProvider,
)
from requests.utils import get_environ_proxies
from tenacity import Retrying, retry_if_exception_type, stop_before_delay
from urllib3.exceptions import HTTPError as Urllib3Error

from floe_lineage_openlineage.urls import checked, is_loopback, place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlineage.client.client import Event
    from tenacity import RetryCallState

    from floe_lineage_openlineage.plugin import HttpTransport as Settings

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
EXCERPT = 300
AGAIN = frozenset({429, 500, 502, 503, 504})
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\U0010ffff]+")


class _AgainError(Exception):
    """An attempt that may be repeated.

    Attributes:
        error: What is told if it was the last.
        wait_s: What the server asked for; None when it did not.
    """

    def __init__(self, error: LineageError, wait_s: float | None = None) -> None:
        super().__init__(error.why)
        self.error = error
        self.wait_s = wait_s


class _Session(requests.Session):
    """Follows no redirect and reads no more of an answer than a message shows."""

    excerpt = ""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response = super().send(request, **{**kwargs, "stream": True, "allow_redirects": False})
        self.excerpt = "" if response.ok else _excerpt(response)
        return response


class HttpDelivery:
    """Posts events to the server that the configuration names."""

    def __init__(self, config: Settings) -> None:
        self._config = config

    def deliver(self, event: Mapping[str, Any], text: str) -> None:
        """Post one event; server errors, too many requests and lost connections are tried again.

        Raises:
            LineageError: The server refused it, or no attempt before the deadline succeeded.
            SecretUnavailableError: A reference points to nothing.
        """
        del text  # the library writes the JSON itself
        end = time.monotonic() + self._config.deadline_s
        retrying = Retrying(
            retry=retry_if_exception_type(_AgainError),
            wait=_wait,
            stop=stop_before_delay(self._config.deadline_s),
            retry_error_callback=_last,
        )
        with _session(self._url()) as session:
            transport = self._transport(session)
            retrying(self._attempt, transport, session, event, end)

    def probe(self, timeout_s: float) -> str:
        """See whether the server answers at all; a status below 500 shows that it is there.

        Raises:
            LineageError: Nothing answers, or the server fails.
        """
        url = self._url()
        with _session(url) as session:
            try:
                response = session.get(url, timeout=timeout_s, verify=_certificates() or True)
            except (requests.RequestException, OSError) as error:
                raise self._lost(error) from None
            response.close()
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self._refused(response, session.excerpt)
        return f"{place(url)} answers (HTTP {response.status_code})"

    def _attempt(self, transport: HttpTransport, session: _Session, event: Mapping[str, Any], end: float) -> None:
        transport.timeout = max(0.001, min(self._config.timeout_s, end - time.monotonic()))
        try:
            response = transport.emit(cast("Event", event))
        except requests.HTTPError as error:
            told = self._refused(error.response, session.excerpt)
            if error.response.status_code in AGAIN:
                raise _AgainError(told, _retry_after(error.response)) from None
            raise told from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _AgainError(self._lost(error)) from None
        except (requests.RequestException, OSError) as error:
            raise self._lost(error) from None
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(response, session.excerpt)

    def _transport(self, session: _Session) -> HttpTransport:
        config, key = self._config, self._config.api_key
        if key is None:
            auth = TokenProvider({})
        else:
            self._refuse_to_tell(self._url())
            auth = ApiKeyTokenProvider({"api_key": key.resolve().get_secret_value()})
        certificates = _certificates()
        return HttpTransport(
            HttpConfig(
                url=self._url().rstrip("/") + "/",
                endpoint=config.endpoint,
                timeout=config.timeout_s,
                auth=auth,
                compression=HttpCompression.GZIP if config.compress else None,
                session=session,
                retry={"total": 0},
                ssl_context=HttpSslContextConfig(ca_cert_path=certificates) if certificates else None,
            )
        )

    def _url(self) -> str:
        try:
            return checked(resolved(self._config.url))
        except ValueError as error:
            raise LineageError(
                "the lineage server's URL cannot be used",
                where=f"plugins.lineage_backend.config.transport.url ({self._config.url})",
                why=str(error),
                remedy="name the server, for example https://marquez.example.com",
                exit_code=ExitCode.USAGE,
            ) from None

    def _refuse_to_tell(self, url: str) -> None:
        if url.startswith("https:") or is_loopback(url) or self._config.allow_http:
            return
        raise LineageError(
            "the API key is not sent without encryption",
            where=place(url),
            why="the URL begins with http:// and leads to another machine",
            remedy="use https, or set allow_http where the network is trusted",
            exit_code=ExitCode.USAGE,
        )

    def _refused(self, response: requests.Response, excerpt: str) -> LineageError:
        status = response.status_code
        why = f"HTTP {status} {response.reason or ''}".rstrip() + (f": {self._scrubbed(excerpt)}" if excerpt else "")
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            remedy, code = "set api_key to a key that this server takes", ExitCode.REFUSED
        elif status < HTTPStatus.BAD_REQUEST:
            remedy, code = "name the final URL; redirects are not followed", ExitCode.WRONG
        else:
            remedy, code = "see the server's log; check url and endpoint", ExitCode.WRONG
        return LineageError(
            "the lineage server did not take the event", where=self._where(), why=why, remedy=remedy, exit_code=code
        )

    def _lost(self, error: Exception) -> LineageError:
        code = ExitCode.MISSING
        if isinstance(error, requests.exceptions.SSLError):
            why = "its certificate cannot be verified"
        elif isinstance(error, requests.Timeout):
            why, code = f"it gave no answer within {self._config.timeout_s:g} s", ExitCode.TIMEOUT
        else:
            why = f"the connection failed ({type(error).__name__})"
        remedy = "see that the server runs and that url names it"
        return LineageError(
            "the lineage server did not take the event", where=self._where(), why=why, remedy=remedy, exit_code=code
        )

    def _where(self) -> str:
        return f"{place(self._url())} ({self._config.endpoint})"

    def _scrubbed(self, text: str) -> str:
        key = self._config.api_key
        return text.replace(key.resolve().get_secret_value(), "***") if key else text


def _session(url: str) -> _Session:
    session = _Session()
    session.trust_env = False  # .netrc would replace the key that is configured
    if not is_loopback(url):
        session.proxies.update(get_environ_proxies(url))
    return session


def _certificates() -> str | None:
    return next((os.environ[name] for name in CERTIFICATES if os.environ.get(name)), None)


def _excerpt(response: requests.Response) -> str:
    """The beginning of an answer's body, in one line; what arrives with the first packet is enough."""
    try:
        raw = response.raw.read1(4 * EXCERPT, decode_content=True)
    except (Urllib3Error, OSError, ValueError):
        return ""
    words = " ".join(_UNPRINTABLE.sub(" ", bytes(raw).decode("utf-8", "replace")).split())
    return words if len(words) <= EXCERPT else f"{words[:EXCERPT]}…"


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to be left alone, as a number or a date; None where it asks for nothing sensible."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _wait(state: RetryCallState) -> float:
    """What the server asked for, else a pause that doubles, of which a random half is taken off."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, _AgainError) else None
    if asked is not None:
        return asked
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(state.attempt_number, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _last(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _AgainError):
        tried = f"after {state.attempt_number} attempt{'s' if state.attempt_number > 1 else ''}"
        error.error.why = f"{error.error.why} ({tried})"
        raise error.error

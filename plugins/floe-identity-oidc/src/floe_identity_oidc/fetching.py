"""One JSON document of an issuer: bounded in time and size, no redirect followed, no credentials sent.

`requests` bounds each silence of a socket, not the whole answer, so a server that drips single bytes of its headers or
its body could hold a caller for hours. The sockets are therefore shut when the time is over.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import requests
import urllib3
from floe_core.plugins.identity import IdentityError, IdentityTimeoutError, IdentityUnavailableError
from requests.adapters import HTTPAdapter
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from floe_identity_oidc.urls import is_loopback

if TYPE_CHECKING:
    from types import TracebackType

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


class Watch:
    """Shuts the sockets that it is shown once the time is over; a context manager.

    Attributes:
        over: Whether it is.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def see(self, connected: socket.socket | None) -> None:
        """Watch this one too."""
        with self._lock:
            if connected is not None:
                self._sockets.append(connected)
        if self.over:
            self._end()

    def _end(self) -> None:
        self.over = True
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class _WatchedAdapter(HTTPAdapter):
    """Shows every socket to a watch as soon as it is connected."""

    def __init__(self, watch: Watch) -> None:
        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                watch.see(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                watch.see(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self._pools = {"http": PlainPool, "https": SecurePool}
        super().__init__()

    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        super().init_poolmanager(*positional, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *positional: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*positional, **named)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _get(url: str, deadline: float) -> bytes:
    """The body of one answer."""
    left = max(deadline - time.monotonic(), 0.001)
    with Watch(left) as watch, requests.Session() as session:
        session.trust_env = not is_loopback(url)
        session.mount("http://", _WatchedAdapter(watch))
        session.mount("https://", _WatchedAdapter(watch))
        try:
            # `auth` is set so that a `.netrc` entry for the host is not sent along.
            with session.get(
                url, auth=_anonymous, stream=True, allow_redirects=False, timeout=left, headers=_ACCEPT
            ) as answer:
                _check(url, answer)
                return _whole(url, answer, watch)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _failure(url, error, in_time=not watch.over) from None


# As it is: a small compressed answer could unfold into a huge one.
_ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}


def _anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _check(url: str, answer: requests.Response) -> None:
    status = answer.status_code
    if status in PASSING:
        raise IdentityUnavailableError("the issuer is not up", where=url, why=f"HTTP {status}", remedy=_LATER)
    if status in REDIRECTS:
        raise _odd(url, f"HTTP {status}, a redirect, which is not followed")
    if status != OK:
        raise _odd(url, f"HTTP {status}")


def _whole(url: str, answer: requests.Response, watch: Watch) -> bytes:
    body = b""
    while piece := answer.raw.read1(PIECE, decode_content=False):
        body += piece
        if len(body) > MAX_BODY:
            raise _odd(url, f"the document is larger than {MAX_BODY} bytes")
    if watch.over:  # a body without a length ends where its socket was shut
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

"""One HTTP exchange with a Polaris server: bounded in time, whole or an error, and free of secrets in its words.

`requests` bounds each read of a socket, not the whole answer, so a server that drips one byte at a time could hold a
caller for minutes; the body is therefore read piece by piece against a deadline.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.auth import AuthBase

from floe_catalog_polaris.errors import PolarisUnreachableError
from floe_catalog_polaris.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BODY = 16 * 1024 * 1024
SHOWN = 300


@dataclass(frozen=True)
class Timeouts:
    """Bounds in seconds: to connect, for one silence while reading, and for a call with its retries."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 30.0


@dataclass(frozen=True)
class Exchange:
    """An answer: HTTP status, parsed JSON (None where there is none), and the text for people."""

    method: str
    url: str
    status: int
    body: Any
    text: str

    @property
    def where(self) -> str:
        """The request in one line."""
        return f"{self.method} {self.url}"

    @property
    def error_type(self) -> str:
        """Polaris's name for the error (`NotFoundException`, or OAuth's `invalid_client`); empty without one."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        if isinstance(error, dict):
            return str(error.get("type", ""))
        return error if isinstance(error, str) else ""

    @property
    def message(self) -> str:
        """What the server says, in one line of at most 300 characters."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        if isinstance(error, dict):
            said = str(error.get("message", ""))
        elif isinstance(error, str):
            said = f"{error}: {self.body.get('error_description', '')}"
        else:
            said = self.text
        said = " ".join(said.split())
        return (said[:SHOWN] + " …") if len(said) > SHOWN else said or "an empty answer"

    def __str__(self) -> str:
        return f"HTTP {self.status}, {self.message}"


class _Bearer(AuthBase):
    """Sets the token itself, so that a `.netrc` entry for the host never replaces it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Sends requests to one server over kept connections."""

    def __init__(self, url: str, timeouts: Timeouts, realm: str | None = None) -> None:
        self.url = url
        self.timeouts = timeouts
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(url)
        if realm is not None:
            self._session.headers["Polaris-Realm"] = realm

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        token: str | None = None,
        payload: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Exchange:
        """One request and its whole answer, whatever its status; redirects are answers, not followed.

        Args:
            method: The HTTP method.
            path: Path below the server's URL.
            deadline: A `time.monotonic()` moment after which nothing is waited for.
            token: A bearer token.
            payload: A JSON body.
            form: A form body, for the token endpoint.
            query: Query parameters.

        Raises:
            PolarisUnreachableError: No whole answer came.
        """
        url = f"{self.url}{path}"
        left = max(deadline - time.monotonic(), 0.001)
        try:
            with self._session.request(
                method,
                url,
                json=payload,
                data=form,
                params=query,
                auth=_Bearer(token),
                stream=True,
                allow_redirects=False,
                timeout=(min(self.timeouts.connect, left), min(self.timeouts.read, left)),
            ) as response:
                raw = _whole(response, deadline)
                return _exchange(method, url, response, raw)
        except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
            reason, sent = _explain(error)
            raise PolarisUnreachableError(f"{method} {url}", reason, sent=sent) from error


def _whole(response: requests.Response, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(65536, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MAX_BODY:
            raise urllib3.exceptions.ProtocolError(f"the answer is larger than {MAX_BODY} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer was not whole in time")
    return b"".join(parts)


def _exchange(method: str, url: str, response: requests.Response, raw: bytes) -> Exchange:
    text = raw.decode("utf-8", errors="replace")
    try:
        body = json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        body = None
    return Exchange(method=method, url=url, status=response.status_code, body=body, text=text)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            queue += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]


_REASONS: tuple[tuple[str, bool, tuple[type[BaseException], ...]], ...] = (
    ("connection refused", False, (ConnectionRefusedError,)),
    ("the host's name is not known", False, (urllib3.exceptions.NameResolutionError,)),
    ("the TLS handshake failed", False, (urllib3.exceptions.SSLError, requests.exceptions.SSLError)),
    ("timed out while connecting", False, (urllib3.exceptions.ConnectTimeoutError,)),
    (
        "timed out while waiting for the answer",
        True,
        (TimeoutError, urllib3.exceptions.TimeoutError, requests.exceptions.Timeout),
    ),
    ("no connection could be made", False, (urllib3.exceptions.NewConnectionError,)),
    (
        "the connection was closed before a whole answer came",
        True,
        (urllib3.exceptions.IncompleteRead, urllib3.exceptions.ProtocolError, ConnectionError),
    ),
)
"""Words, whether the server may have received the request, and the causes; the first that fits holds."""


def _explain(error: BaseException) -> tuple[str, bool]:
    """A reason in a few words, and whether the server may have received the request."""
    causes = list(_chain(error))
    for words, sent, kinds in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return words, sent
    return f"{type(error).__name__} while talking to the server", True

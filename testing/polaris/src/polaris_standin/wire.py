"""Requests in, answers out: routing on the raw path, JSON bodies, headers, compression, request ids.

Starlette's router works on the decoded path, where a namespace `a%2Fb` would be two segments; routes are
therefore matched segment by segment on the raw path and decoded afterwards.
"""

from __future__ import annotations

import gzip
import itertools
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.responses import Response

from polaris_standin.errors import ApiError, WireError, bad_request, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polaris_standin.access import Caller
    from polaris_standin.service import Service

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Call:
    """One request: decoded path parameters, query, headers (lower case), raw body, and who calls."""

    service: Service
    method: str
    path: dict[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    caller_or_none: Caller | None = None

    @property
    def caller(self) -> Caller:
        """The authenticated caller; only open routes have none.

        Raises:
            RuntimeError: An open route asked for it, which is a mistake in the route table.
        """
        if self.caller_or_none is None:
            raise RuntimeError("an open route has no caller")
        return self.caller_or_none

    def json(self) -> Any:
        """The body as JSON; None for an empty body.

        Raises:
            ApiError: 400, the body is no JSON.
        """
        if not self.raw.strip():
            return None
        try:
            return json.loads(self.raw)
        except ValueError:
            raise bad_request() from None


@dataclass(frozen=True)
class Answer:
    """A status with a JSON body (None: empty) and extra headers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


CREATED = Answer(201)
NO_CONTENT = Answer(204)


@dataclass(frozen=True)
class Route:
    """A method and a path pattern (`{x}` takes one segment), the handler, and whether a token is needed."""

    method: str
    pattern: str
    handler: Callable[[Call], Answer]
    consumes: str = JSON
    is_open: bool = False


class Router:
    """Finds the route of a method and a raw path.

    Unknown paths are 404 and known paths with another method 405, before any token is looked at.
    """

    def __init__(self, routes: list[Route]) -> None:
        self._routes = [(route, route.pattern.strip("/").split("/")) for route in routes]

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route and its decoded path parameters; a trailing slash makes no difference.

        Raises:
            ApiError: 404 or 405.
        """
        segments = raw_path.strip("/").split("/")
        fits = [
            (route, parameters)
            for route, pattern in self._routes
            if (parameters := _match(pattern, segments)) is not None
        ]
        if not fits:
            raise not_found()
        for route, parameters in fits:
            if route.method == method:
                return route, parameters
        raise ApiError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    found: dict[str, str] = {}
    for expected, actual in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not actual:
                return None
            found[expected[1:-1]] = unquote(actual)
        elif expected != actual:
            return None
    return found


def check_negotiation(route: Route, headers: Mapping[str, str]) -> None:
    """Refuse a body of another content type and a client that takes no JSON.

    Raises:
        ApiError: 415 or 406.
    """
    content_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type and content_type != route.consumes and route.method in ("POST", "PUT"):
        message = "The content-type header value did not match the value in @Consumes"
        raise ApiError(415, "NotSupportedException", message)
    accepted = [part.split(";")[0].strip() for part in headers.get("accept", "*/*").split(",")]
    if not {"*/*", "application/*", JSON} & set(accepted):
        message = "The accept header value did not match the value in @Produces"
        raise ApiError(406, "NotAcceptableException", message)


class RequestIds:
    """`X-Request-ID`: the client's own, else a process-wide id and a counter."""

    def __init__(self) -> None:
        self._prefix = uuid.uuid4()
        self._counter = itertools.count(1)

    def of(self, headers: Mapping[str, str]) -> str:
        """The id that an answer carries."""
        return headers.get("x-request-id") or f"{self._prefix}_{next(self._counter):019d}"


def compact(body: Any) -> bytes:
    """JSON without blanks, as Jackson writes it; Content-Length is part of the contract."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def render(answer: Answer, *, accept_encoding: str, is_head: bool) -> Response:
    """An answer of a handler: JSON with a charset, gzipped when the client takes it."""
    headers = dict(answer.headers)
    if answer.body is None:
        # 204 and 304 have no body by definition; an empty 201 says so.
        if answer.status not in (204, 304):
            headers["Content-Encoding"] = "identity"
        return _response(answer.status, b"", headers, is_head=is_head)
    headers["Content-Type"] = f"{JSON};charset=UTF-8"
    return _response(answer.status, *_encoded(compact(answer.body), headers, accept_encoding), is_head=is_head)


def render_error(error: WireError, *, accept_encoding: str, is_head: bool) -> Response:
    """An error: empty, or JSON; gzipped only where Polaris's handlers (not its mappers) make it."""
    headers = dict(error.headers)
    if error.body is None or is_head:
        headers["Content-Encoding"] = "identity"
        if error.body is not None:
            headers["Content-Type"] = JSON
        return _response(error.status, b"", headers, is_head=is_head)
    is_oauth = isinstance(error.body.get("error"), str)
    headers["Content-Type"] = f"{JSON};charset=UTF-8" if is_oauth else JSON
    data = compact(error.body)
    if error.compressible:
        data, headers = _encoded(data, headers, accept_encoding)
    return _response(error.status, data, headers, is_head=is_head)


def _encoded(data: bytes, headers: dict[str, str], accept_encoding: str) -> tuple[bytes, dict[str, str]]:
    if "gzip" not in accept_encoding:
        return data, headers
    return gzip.compress(data, compresslevel=1), {**headers, "Content-Encoding": "gzip"}


def _response(status: int, data: bytes, headers: dict[str, str], *, is_head: bool) -> Response:
    response = Response(data, status_code=status, headers=headers)
    if is_head or status in (204, 304):
        response.raw_headers = [pair for pair in response.raw_headers if pair[0] != b"content-length"]
    return response

"""The application on the API port.

Order of the checks, as measured: path and method, realm, content types, token, and only then the body.
Handlers are plain functions and run in worker threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from polaris_standin.engines import DatabaseError
from polaris_standin.errors import ApiError, WireError
from polaris_standin.routes import ROUTES
from polaris_standin.wire import (
    Answer,
    Call,
    RequestIds,
    Route,
    Router,
    check_negotiation,
    render,
    render_error,
)

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from polaris_standin.access import Caller
    from polaris_standin.metrics import Metrics
    from polaris_standin.service import Service


class Api:
    """An ASGI application over one service."""

    def __init__(self, service: Service, metrics: Metrics) -> None:
        self._service = service
        self._metrics = metrics
        self._router = Router(ROUTES)
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        response = await self._respond(request, body)
        response.headers["X-Request-ID"] = self._ids.of(request.headers)
        self._metrics.count(response.status_code)
        await response(scope, receive, send)

    async def _respond(self, request: Request, body: bytes) -> Response:
        is_head = request.method == "HEAD"
        encoding = request.headers.get("accept-encoding", "")
        try:
            path = request.scope["raw_path"].decode("latin-1")
            route, parameters = self._router.find(request.method, path)
            call = Call(self._service, request.method, parameters, request.query_params, request.headers, body)
            answer = await run_in_threadpool(self._handle, route, call)
        except WireError as error:
            return render_error(error, accept_encoding=encoding, is_head=is_head)
        return render(answer, accept_encoding=encoding, is_head=is_head)

    def _handle(self, route: Route, call: Call) -> Answer:
        self._service.check_realm(call.headers)
        check_negotiation(route, call.headers)
        if not route.is_open:
            call.caller_or_none = self._authenticated(call)
        try:
            return route.handler(call)
        except DatabaseError as error:
            message = f"Failed to retrieve polaris entity due to {error}"
            raise ApiError(500, "RuntimeException", message) from error

    def _authenticated(self, call: Call) -> Caller:
        """The caller. Without its database Polaris says 503 here and 500 later (read in its source, not measured)."""
        try:
            return self._service.authenticate(call.headers)
        except DatabaseError as error:
            raise ApiError(503, "ServiceUnavailableException", "Unable to fetch principal entity") from error

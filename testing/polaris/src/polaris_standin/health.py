"""The application on the management port: health and metrics.

Readiness asks the database and nothing else; a stopped object store leaves it up (measured).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from polaris_standin.engines import DatabaseError
from polaris_standin.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from polaris_standin.metrics import Metrics
    from polaris_standin.store import Store

_CHECKED = ("/q/health", "/q/health/ready")
_UNCHECKED = ("/q/health/live", "/q/health/started", "/q/health/well")
_CHECK = "Database connections health check"
_MISSING = "<html><body><h1>Resource not found</h1></body></html>"


class Health:
    """An ASGI application over the state and the counters."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        # In a thread: a database that is silent must hold up nobody else.
        response = await run_in_threadpool(self._respond, Request(scope, receive).url.path.rstrip("/"))
        await response(scope, receive, send)

    def _respond(self, path: str) -> Response:
        if path in _CHECKED:
            return _health([self._database()])
        if path in _UNCHECKED:
            return _health([])
        if path == "/q/metrics":
            return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})
        return HTMLResponse(_MISSING, status_code=404)

    def _database(self) -> dict[str, Any]:
        try:
            self._store.ping()
        except DatabaseError as error:
            reason = f"Unable to execute the validation check for the default DataSource: {error}"
            return {"name": _CHECK, "status": "DOWN", "data": {"<default>": reason}}
        return {"name": _CHECK, "status": "UP"}


def _health(checks: list[dict[str, Any]]) -> Response:
    is_up = all(check["status"] == "UP" for check in checks)
    body = json.dumps({"status": "UP" if is_up else "DOWN", "checks": checks}, indent=4)
    # The server's printer opens a line in an empty list too; Content-Length is part of the contract.
    body = body.replace("[]", "[\n    ]")
    headers = {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "no-store"}
    return Response(body, status_code=200 if is_up else 503, headers=headers)

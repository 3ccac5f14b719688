"""Nothing about a request is written down while it runs: the path of its URL may be the secret itself."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry import context

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "requests")
SUPPRESSED = "suppress_instrumentation"
"""The context's key by which OpenTelemetry's instrumentations of HTTP libraries know to make no span."""
_SILENT = ContextVar("floe_http_silent", default=False)


def _speaks(_: logging.LogRecord) -> bool:
    return not _SILENT.get()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the HTTP libraries from logging, and from being traced with URLs, in this context inside of the block."""
    for name in LOGGERS:
        # It stays: taking a filter away while another thread goes through them makes that thread leave one out.
        logging.getLogger(name).addFilter(_speaks)
    silent = _SILENT.set(True)
    token = context.attach(context.set_value(SUPPRESSED, True))  # noqa: FBT003 - its signature is positional
    try:
        yield
    finally:
        context.detach(token)
        _SILENT.reset(silent)

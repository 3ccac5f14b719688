"""Nothing about a request is written down while it runs: the path of its URL may be the secret itself."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import context

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "requests")
SUPPRESSED = "suppress_instrumentation"
"""The context's key by which OpenTelemetry's instrumentations of HTTP libraries know to make no span."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the HTTP libraries from logging, and from being traced with URLs, in this thread inside of the block."""
    thread = threading.get_ident()

    def other_threads(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(other_threads)
    token = context.attach(context.set_value(SUPPRESSED, True))  # noqa: FBT003 - its signature is positional
    try:
        yield
    finally:
        context.detach(token)
        for logger in loggers:
            logger.removeFilter(other_threads)

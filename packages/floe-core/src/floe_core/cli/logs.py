"""Log lines of the command line: to standard error, structured, and loaded only when a line is written.

The level is that of FLOE_LOG_LEVEL, else what the manifest says under observability.logging; before a manifest is
read, it is `warning`.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from floe_core.compilation.artifacts import LoggingRecord

LEVEL_ENV: Final = "FLOE_LOG_LEVEL"
LEVELS: Final = ("debug", "info", "warning", "error")
QUIET: Final = "warning"


class Log:
    """Writes events of at least one level.

    Args:
        level: One of `LEVELS`.
        form: `text` for people, `json` for one JSON object a line.
    """

    def __init__(self, level: str = QUIET, form: str = "text") -> None:
        self.level = level
        self.form = form

    def write(self, level: str, event: str, **fields: Any) -> None:
        """Write one event; costs nothing below the level."""
        if LEVELS.index(level) >= LEVELS.index(self.level):
            getattr(self._logger, level)(event, **fields)

    @cached_property
    def _logger(self) -> Any:
        import structlog

        coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        last: Any = (
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if self.form == "json"
            else structlog.dev.ConsoleRenderer(colors=coloured)
        )
        return structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _correlate,
                last,
            ],
            wrapper_class=structlog.BoundLogger,
        )


def environment_level() -> str:
    """The level that FLOE_LOG_LEVEL names, in lower case; empty where it is not set."""
    return os.environ.get(LEVEL_ENV, "").strip().lower()


def of_environment() -> Log:
    """The log before a manifest is read.

    Raises:
        UsageError: FLOE_LOG_LEVEL names no level.
    """
    return Log(_asked() or QUIET)


def of_platform(wanted: LoggingRecord) -> Log:
    """The log that a platform asks for; FLOE_LOG_LEVEL wins over its level.

    Raises:
        UsageError: FLOE_LOG_LEVEL names no level.
    """
    return Log(_asked() or wanted.level.value, wanted.format.value)


def _asked() -> str:
    level = environment_level()
    if level and level not in LEVELS:
        raise UsageError(
            f"{LEVEL_ENV} names no level",
            where=f"environment variable {LEVEL_ENV}",
            why=f"it is {level[:40]!r}",
            remedy=f"unset it, or write one of {', '.join(LEVELS)}",
        )
    return level


def _correlate(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace that the line belongs to, where there is one."""
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return event

"""Spans by the OpenTelemetry API only: without a configured SDK they cost next to nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue


@contextmanager
def span(name: str, **attributes: AttributeValue) -> Iterator[Span]:
    """A span `name` below the current one, with `attributes`; an exception marks it as failed and passes on.

    Of a `FloeError` the span keeps what was said. Any other exception may quote what it worked on, a secret for
    example, and so may the one that it came from; of those the span keeps the kind alone.
    """
    from opentelemetry import trace
    from opentelemetry.trace import Status, StatusCode

    from floe_core.errors import FloeError

    tracer = trace.get_tracer("floe")
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            said = error.what if isinstance(error, FloeError) else type(error).__name__
            current.add_event("exception", {"exception.type": kind, "exception.message": said})
            current.set_status(Status(StatusCode.ERROR, said))
            raise

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
    """A span `name` below the current one, with `attributes`; an exception marks it as failed and passes on."""
    from opentelemetry import trace

    with trace.get_tracer("floe").start_as_current_span(name, attributes=attributes) as current:
        yield current

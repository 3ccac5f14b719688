"""A trace as a waterfall: an ordered, bounded tree of rows that a page can draw without knowing OpenTelemetry.

Whatever arrives makes a waterfall: spans in any order, a parent that never came (its children become roots
and say so), parents that form a circle (cut at the earliest span), clocks that disagree (offsets count from
the earliest start, so none is negative).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from floe_ops.clients.jaeger import JaegerSpan, JaegerTrace, TagValue

ROWS = 400
US_PER_MS = 1000.0
NOISE = frozenset({"otel.scope.name", "otel.scope.version", "span.kind", "otel.status_code", "error"})


@dataclass(frozen=True)
class Row:
    """One bar.

    Attributes:
        id: The span's id.
        depth: 0 for a root.
        name: The span's name.
        service: The service that made it.
        start_ms: Milliseconds from the waterfall's begin.
        duration_ms: Milliseconds.
        status: `ok`, `error` or `unset`.
        children: How many spans lie right below it.
        orphan: Its parent is not in the trace, or was cut out of a circle.
        attributes: The span's attributes, without OpenTelemetry's own.
    """

    id: str
    depth: int
    name: str
    service: str
    start_ms: float
    duration_ms: float
    status: str
    children: int
    orphan: bool
    attributes: dict[str, TagValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Waterfall:
    """A trace, ready to be drawn.

    Attributes:
        trace_id: 32 hex digits.
        total_ms: From the earliest start to the latest end of any span, also of those left out.
        rows: Parents before their children, siblings by start.
        left_out: Spans beyond the bound; deep ones go first, so that the outline stays whole.
    """

    trace_id: str
    total_ms: float
    rows: tuple[Row, ...]
    left_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return asdict(self)


def build(trace: JaegerTrace, *, limit: int = ROWS) -> Waterfall:
    """The waterfall of `trace` with at most `limit` rows."""
    unique = {span.id: span for span in trace.spans}
    if not unique:
        return Waterfall(trace.id, 0.0, ())
    spans = sorted(unique.values(), key=lambda span: (span.start_us, span.id))
    begin = spans[0].start_us
    total = max(span.start_us + max(span.duration_us, 0) for span in spans) - begin
    tree = _Tree(spans)
    order = list(tree.walk())
    kept = _kept(order, limit)
    rows = tuple(tree.row(span, depth, begin) for span, depth in order if span.id in kept)
    return Waterfall(trace.id, total / US_PER_MS, rows, len(order) - len(rows))


class _Tree:
    """Who lies below whom, with every span reachable from exactly one root."""

    def __init__(self, spans: list[JaegerSpan]) -> None:
        self.by_id = {span.id: span for span in spans}
        self.roots: list[JaegerSpan] = []
        self.below: dict[str, list[JaegerSpan]] = defaultdict(list)
        for span in spans:
            if span.parent is None or span.parent not in self.by_id:
                self.roots.append(span)
            else:
                self.below[span.parent].append(span)
        self._cut_circles(spans)

    def _cut_circles(self, spans: Iterable[JaegerSpan]) -> None:
        """Make the earliest span of each circle a root: nothing in a circle is reachable from any other root."""
        reached = {span.id for span, _ in self.walk()}
        for span in spans:
            if span.id in reached or not self._in_circle(span):
                continue
            self.below[span.parent or ""].remove(span)
            self.roots.append(span)
            reached.update(one.id for one, _ in self._walk_from([span]))
        self.roots.sort(key=lambda span: (span.start_us, span.id))

    def _in_circle(self, span: JaegerSpan) -> bool:
        """Whether going up from `span` leads back to it."""
        seen: set[str] = set()
        current = span.parent
        while current is not None and current in self.by_id and current not in seen:
            if current == span.id:
                return True
            seen.add(current)
            current = self.by_id[current].parent
        return False

    def walk(self) -> Iterator[tuple[JaegerSpan, int]]:
        """Every reachable span with its depth, parents first."""
        return self._walk_from(self.roots)

    def _walk_from(self, roots: list[JaegerSpan]) -> Iterator[tuple[JaegerSpan, int]]:
        # A stack, not recursion: a trace may be thousands deep.
        todo = [(span, 0) for span in reversed(roots)]
        while todo:
            span, depth = todo.pop()
            yield span, depth
            todo.extend((child, depth + 1) for child in reversed(self.below[span.id]))

    def row(self, span: JaegerSpan, depth: int, begin: int) -> Row:
        """`span` as a row of a waterfall that starts at `begin` (microseconds)."""
        return Row(
            id=span.id,
            depth=depth,
            name=span.operation,
            service=span.service,
            start_ms=(span.start_us - begin) / US_PER_MS,
            duration_ms=max(span.duration_us, 0) / US_PER_MS,
            status=span.status,
            children=len(self.below[span.id]),
            orphan=depth == 0 and span.parent is not None,
            attributes={key: value for key, value in span.tags.items() if key not in NOISE},
        )


def _kept(order: list[tuple[JaegerSpan, int]], limit: int) -> set[str]:
    """Ids of the `limit` rows to keep: the shallowest, and among equals the longest; a failed one counts as long.

    A parent is never deeper than its children, so no row is kept without the rows above it.
    """
    ranked = sorted(order, key=lambda one: (one[1], one[0].status != "error", -one[0].duration_us))
    return {span.id for span, _ in ranked[:limit]}

from __future__ import annotations

import json

from floe_ops import waterfall
from floe_ops.clients.jaeger import JaegerSpan, JaegerTrace
from hypothesis import given
from hypothesis import strategies as st

IDS = [f"{number:016x}" for number in range(1, 9)]
SPANS = st.builds(
    JaegerSpan,
    id=st.sampled_from(IDS),
    parent=st.none() | st.sampled_from([*IDS, "f" * 16]),
    operation=st.sampled_from(["a", "b"]),
    service=st.just("floe-platform"),
    start_us=st.integers(0, 50),
    duration_us=st.integers(-5, 50),
    status=st.sampled_from(["ok", "error", "unset"]),
)
TRACES = st.lists(SPANS, max_size=12).map(lambda spans: JaegerTrace("t", tuple(spans)))


def _span(name: str, parent: str | None, start: int = 0, duration: int = 10, **more: object) -> JaegerSpan:
    status, tags = str(more.get("status", "unset")), more.get("tags", {})
    assert isinstance(tags, dict)
    return JaegerSpan(name, parent, name, "floe-platform", start, duration, tags, status)


def _outline(*spans: JaegerSpan, limit: int = waterfall.ROWS) -> list[tuple[str, int]]:
    made = waterfall.build(JaegerTrace("t", spans), limit=limit)
    return [(row.name, row.depth) for row in made.rows]


@given(TRACES)
def test_every_span_is_one_row_whatever_its_parents(trace: JaegerTrace) -> None:
    made = waterfall.build(trace)
    assert sorted(row.id for row in made.rows) == sorted({span.id for span in trace.spans})
    assert made.left_out == 0


@given(TRACES)
def test_parents_come_right_before_their_subtree(trace: JaegerTrace) -> None:
    parent = {span.id: span.parent for span in trace.spans}
    above: list[str] = []
    for row in waterfall.build(trace).rows:
        assert row.depth <= len(above)
        del above[row.depth :]
        assert row.depth == 0 or parent[row.id] == above[-1]
        above.append(row.id)


@given(TRACES)
def test_only_orphans_and_true_roots_are_roots(trace: JaegerTrace) -> None:
    parent = {span.id: span.parent for span in trace.spans}
    for row in waterfall.build(trace).rows:
        assert row.orphan == (row.depth == 0 and parent[row.id] is not None)


@given(TRACES)
def test_bars_lie_within_the_whole(trace: JaegerTrace) -> None:
    made = waterfall.build(trace)
    for row in made.rows:
        assert row.start_ms >= 0
        assert row.duration_ms >= 0
        assert row.start_ms + row.duration_ms <= made.total_ms + 1e-9


@given(TRACES, st.integers(0, 12))
def test_the_bound_holds_and_the_rest_is_counted(trace: JaegerTrace, limit: int) -> None:
    whole, made = waterfall.build(trace), waterfall.build(trace, limit=limit)
    assert len(made.rows) == min(limit, len(whole.rows))
    assert made.left_out == len(whole.rows) - len(made.rows)
    assert made.total_ms == whole.total_ms
    kept = {row.id for row in made.rows}
    parent = {span.id: span.parent for span in trace.spans}
    assert all(row.depth == 0 or parent[row.id] in kept for row in made.rows), "a row without the rows above it"


def _backwards(trace: JaegerTrace) -> JaegerTrace:
    return JaegerTrace(trace.id, tuple(reversed(trace.spans)))


@given(TRACES.filter(lambda trace: len({span.id for span in trace.spans}) == len(trace.spans)))
def test_the_order_of_arrival_changes_nothing(trace: JaegerTrace) -> None:
    assert waterfall.build(trace) == waterfall.build(_backwards(trace))


@given(TRACES)
def test_it_is_plain_data(trace: JaegerTrace) -> None:
    assert len(json.loads(json.dumps(waterfall.build(trace).as_dict()))["rows"]) == len(
        {span.id for span in trace.spans}
    )


def test_siblings_are_ordered_by_start() -> None:
    outline = _outline(
        _span("late", "root", 9), _span("root", None), _span("leaf", "early", 3), _span("early", "root", 2)
    )
    assert outline == [("root", 0), ("early", 1), ("leaf", 2), ("late", 1)]


def test_a_clock_that_is_behind_moves_the_begin() -> None:
    made = waterfall.build(JaegerTrace("t", (_span("root", None, 1000, 1000), _span("skewed", "root", 500, 100))))
    assert [(row.name, row.start_ms) for row in made.rows] == [("root", 0.5), ("skewed", 0.0)]
    assert made.total_ms == 1.5


def test_a_circle_is_cut_at_its_earliest_span() -> None:
    outline = _outline(_span("b", "c", 2), _span("c", "a", 3), _span("a", "b", 1), _span("leaf", "c", 4))
    assert outline == [("a", 0), ("c", 1), ("b", 2), ("leaf", 2)]


def test_deep_rows_go_first_and_failed_ones_last() -> None:
    spans = [_span("root", None), _span("slow", "root", 1, 9), _span("quick", "root", 1, 1)]
    spans += [_span("broken", "root", 1, 1, status="error"), _span("deep", "slow", 2, 99)]
    assert _outline(*spans, limit=3) == [("root", 0), ("broken", 1), ("slow", 1)]


def test_a_trace_may_be_deep() -> None:
    spans = [_span(str(number), str(number - 1) if number else None, number) for number in range(5000)]
    assert len(waterfall.build(JaegerTrace("t", tuple(spans)), limit=10**6).rows) == 5000


def test_attributes_are_shown_without_opentelemetrys_own() -> None:
    tags = {"floe.test.id": "x", "otel.scope.name": "floe", "span.kind": "internal"}
    made = waterfall.build(JaegerTrace("t", (_span("root", None, tags=tags),)))
    assert made.rows[0].attributes == {"floe.test.id": "x"}

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from floe_telemetry_otlp.messages import JSON, PROTOBUF, UnreadableError, rejected_in, spans_in
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["resourceSpans", "scopeSpans", "spans", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_spans_are_counted_over_all_groups(groups: list[int]) -> None:
    request = ExportTraceServiceRequest()
    for size in groups:
        scope = request.resource_spans.add().scope_spans.add()
        for number in range(size):
            scope.spans.add(name=str(number))
    if sum(groups) == 0:
        with pytest.raises(UnreadableError, match="no spans"):
            spans_in(PROTOBUF, request.SerializeToString())
    else:
        assert spans_in(PROTOBUF, request.SerializeToString()) == sum(groups)


def test_a_torn_request_is_unreadable(request_of: Callable[..., bytes]) -> None:
    body = request_of("a", "b")
    for end in range(len(body)):
        with pytest.raises(UnreadableError):
            spans_in(PROTOBUF, body[:end])


@given(st.binary(max_size=60))
def test_any_bytes_are_counted_or_unreadable(body: bytes) -> None:
    for content_type in (JSON, PROTOBUF):
        with suppress(UnreadableError):
            assert spans_in(content_type, body) > 0
        assert isinstance(rejected_in(content_type, body), int)


@given(JSONS)
def test_any_json_is_counted_or_unreadable(document: object) -> None:
    body = json.dumps(document).encode()
    with suppress(UnreadableError):
        assert spans_in(JSON, body) > 0
    assert isinstance(rejected_in(JSON, body), int)


def test_json_spans_are_counted() -> None:
    scope = {"spans": [{"name": "a"}, {"name": "b"}]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [scope, scope]}]}).encode()
    assert spans_in(JSON, body) == 4

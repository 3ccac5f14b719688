from __future__ import annotations

from dataclasses import replace

import pytest
from floe_core.errors import MissingToolError
from floe_ops import roundtrip
from floe_ops.clients.jaeger import JaegerSpan, JaegerTrace

ATTRIBUTES = {"nonce": "n1", "stages": ("LOAD", "VALIDATE")}
TAGS: dict[str, str | bool | int | float] = {"nonce": "n1", "stages": '["LOAD","VALIDATE"]'}
SPANS = tuple(JaegerSpan(name, parent, name, roundtrip.SERVICE, 0, 1, dict(TAGS)) for name, parent in roundtrip.SHAPE)


def _differences(*spans: JaegerSpan) -> list[str]:
    return roundtrip.differences(JaegerTrace("t", spans), dict(ATTRIBUTES))


def test_an_equal_trace_has_no_differences() -> None:
    assert _differences(*SPANS) == []


def test_a_missing_span_is_named() -> None:
    assert any("roundtrip model" in one and "not found" in one for one in _differences(*SPANS[:-1]))


def test_a_span_too_many_is_named() -> None:
    extra = replace(SPANS[1], id="x", operation="stranger")
    assert any("stranger" in one and "not sent" in one for one in _differences(*SPANS, extra))


def test_another_parent_is_named() -> None:
    moved = replace(SPANS[-1], parent="roundtrip")
    found = _differences(*SPANS[:-1], moved)
    assert len(found) == 2
    assert all("roundtrip model" in one for one in found)


def test_a_lost_parent_link_is_named() -> None:
    assert _differences(*SPANS[:-1], replace(SPANS[-1], parent=None))


def test_another_service_is_named() -> None:
    assert _differences(*SPANS[:-1], replace(SPANS[-1], service="other")) == [
        "roundtrip model: service is 'other', not 'floe-platform'"
    ]


@pytest.mark.parametrize(("key", "value"), [("nonce", "n2"), ("stages", '["LOAD"]')])
def test_an_altered_attribute_is_named(key: str, value: str) -> None:
    found = _differences(*SPANS[:-1], replace(SPANS[-1], tags={**TAGS, key: value}))
    assert len(found) == 1
    assert key in found[0]
    assert repr(value) in found[0]


def test_a_collector_that_takes_nothing_is_named() -> None:
    with pytest.raises(MissingToolError) as caught:
        roundtrip.verify("http://127.0.0.1:1", "http://127.0.0.1:1", deadline_s=1)
    assert "refused or lost the connection" in caught.value.why
    assert caught.value.where == "http://127.0.0.1:1/v1/traces"

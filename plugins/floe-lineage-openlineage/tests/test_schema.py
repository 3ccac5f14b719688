from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from floe_core.lineage import error_facets, trace_facets
from floe_core.plugins import LineageError
from floe_lineage_openlineage.schema import check
from hypothesis import given
from hypothesis import strategies as st

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
GONE = object()


def changed(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The event with another value at `path`, or without it."""
    document = copy.deepcopy(event)
    part: Any = document
    *parents, last = [int(one) if one.isdigit() else one for one in path.split("/")]
    for one in parents:
        part = part[one]
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    return document


def test_a_whole_event_passes_as_one_line(event: dict[str, Any]) -> None:
    event["run"]["facets"] |= trace_facets(f"00-{'a' * 32}-{'b' * 16}-01") | error_facets("no such table\nLINE 1")
    text = check(event)
    assert json.loads(text) == event
    assert "\n" not in text


@pytest.mark.parametrize(
    ("path", "value", "where", "why"),
    [
        ("run", GONE, "event.run", "missing"),
        ("job", GONE, "event.job", "missing"),
        ("eventTime", GONE, "event.eventTime", "missing"),
        ("producer", GONE, "event.producer", "missing"),
        ("schemaURL", GONE, "event.schemaURL", "missing"),
        ("job/namespace", GONE, "event.job.namespace", "missing"),
        ("job/name", 5, "event.job.name", "text"),
        ("job", [], "event.job", "object"),
        ("inputs", {}, "event.inputs", "list"),
        ("inputs/0/name", None, "event.inputs[0].name", "text"),
        ("inputs/0/facets", [], "event.inputs[0].facets", "object"),
        ("outputs/0/namespace", GONE, "event.outputs[0].namespace", "missing"),
        ("eventType", "DONE", "event.eventType", "START"),
        ("eventType", ["START"], "event.eventType", "START"),
        ("eventTime", "2026-11-23", "event.eventTime", "time zone"),
        ("eventTime", "2026-11-23T14:00:00", "event.eventTime", "time zone"),
        ("eventTime", "yesterday", "event.eventTime", "time zone"),
        ("producer", "floe", "event.producer", "URI"),
        ("run/runId", "1", "event.run.runId", "UUID"),
        ("run/facets/parent/run/runId", "1", "event.run.facets.parent.run.runId", "UUID"),
        ("run/facets/parent/job", GONE, "event.run.facets.parent.job", "missing"),
        ("run/facets/parent/_producer", GONE, "event.run.facets.parent._producer", "missing"),
        ("run/facets/mine", {}, "event.run.facets.mine._producer", "missing"),
        ("run/facets/mine", 1, "event.run.facets.mine", "object"),
        ("job/facets/sql/query", 1, "event.job.facets.sql.query", "text"),
        ("outputs/0/facets/schema/fields/0/name", GONE, "event.outputs[0].facets.schema.fields[0].name", "missing"),
        (
            "outputs/0/outputFacets/outputStatistics/rowCount",
            True,
            "event.outputs[0].outputFacets.outputStatistics.rowCount",
            "whole number",
        ),
    ],
)
def test_each_wrong_place_is_named(event: dict[str, Any], path: str, value: object, where: str, why: str) -> None:
    with pytest.raises(LineageError) as caught:
        check(changed(event, path, value))
    assert caught.value.where == where
    assert why in caught.value.why
    assert caught.value.remedy


def test_a_facet_in_the_wrong_place_is_named(event: dict[str, Any]) -> None:
    event["run"]["facets"]["sql"] = event["job"]["facets"]["sql"]
    with pytest.raises(LineageError, match="SQLJobFacet does not belong here"):
        check(event)


def test_a_custom_facet_passes(event: dict[str, Any]) -> None:
    event["job"]["facets"]["acme_cost"] = {"_producer": "https://acme.example", "_schemaURL": "urn:acme:1", "eur": 3}
    assert json.loads(check(event)) == event


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x", object()])
def test_what_is_no_json_is_refused(event: dict[str, Any], value: object) -> None:
    with pytest.raises(LineageError, match="not JSON"):
        check({**event, "more": value})


def test_depth_is_bounded(event: dict[str, Any]) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(LineageError, match="nested"):
        check({**event, "more": deep})


@given(JSONS, st.sampled_from(["run", "job", "inputs", "outputs", "eventTime", "run/facets", "job/facets/sql"]))
def test_any_json_anywhere_is_an_event_or_refused(value: Any, path: str) -> None:
    base: dict[str, Any] = {
        "run": {"runId": "019a0000-0000-7000-8000-000000000000", "facets": {}},
        "job": {"namespace": "n", "name": "j", "facets": {}},
        "eventTime": "2026-11-23T14:00:00Z",
        "producer": "https://floe.dev",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }
    document = changed(base, path, value)
    try:
        text = check(document)
    except LineageError as error:
        text = error.where
    assert text.startswith(("event", "{"))

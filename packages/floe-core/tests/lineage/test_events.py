from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from floe_core.errors import UsageError
from floe_core.lineage import Dataset, DataSource, EventKind, Job, Run, error_facets, run_event, run_id
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 23, 14, 0, 1, 500, tzinfo=UTC)
JOB = Job("orders", "model.orders.mart", job_type="MODEL", sql="select 1", description="A mart.")
SOURCE = DataSource("duckdb://orders", "duckdb")
WORDS = st.text(max_size=12)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def test_ids_are_version_7_and_the_same_twice() -> None:
    first = run_id(JOB, AT)
    assert first == run_id(JOB, AT.astimezone(timezone(timedelta(hours=5))))
    assert first.version == 7
    assert first.int >> 80 == int(AT.timestamp() * 1000)
    others = {
        run_id(JOB, AT, salt="1"),
        run_id(Job("orders", "other"), AT),
        run_id(JOB, AT + timedelta(microseconds=1)),
    }
    assert len({first, *others}) == 4


@given(WORDS, WORDS, WORDS, WORDS)
def test_names_do_not_run_into_each_other(one: str, two: str, three: str, four: str) -> None:
    same = (one, two) == (three, four)
    assert (run_id(Job(one, two), AT) == run_id(Job(three, four), AT)) is same


@given(MOMENTS, MOMENTS)
def test_ids_sort_by_time(one: datetime, two: datetime) -> None:
    early, late = sorted((one, two))
    if late - early >= timedelta(milliseconds=1):
        assert run_id(JOB, early) < run_id(JOB, late)


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)])  # noqa: DTZ001 - the fault
def test_a_moment_that_cannot_be_told_is_refused(at: datetime) -> None:
    with pytest.raises(UsageError):
        run_id(JOB, at)


def test_an_event_names_everything() -> None:
    root = Run.begin(Job("orders", "nightly"), AT)
    product = Run.begin(Job("orders", "orders"), AT, parent=root)
    columns = ({"name": "id", "type": "bigint", "description": ""},)
    event = run_event(
        EventKind.FAIL,
        run_id(JOB, AT),
        JOB,
        at=AT,
        inputs=[Dataset(SOURCE, "orders.raw.orders", rows=9)],
        outputs=[Dataset(SOURCE, "orders.marts.mart", columns, rows=0)],
        parent=product,
        facets=error_facets("x" * 20_000),
    )
    assert json.loads(json.dumps(event)) == event
    assert (event["eventType"], event["eventTime"]) == ("FAIL", "2026-11-23T14:00:01.000500+00:00")
    parent = event["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == str(product.id)
    assert parent["root"] == {"run": {"runId": str(root.id)}, "job": {"namespace": "orders", "name": "nightly"}}
    assert len(event["run"]["facets"]["errorMessage"]["message"]) == 10_000
    facets = event["job"]["facets"]
    assert facets["sql"]["query"] == "select 1"
    assert facets["sql"]["dialect"] == "duckdb"
    assert facets["jobType"]["jobType"] == "MODEL"
    assert facets["documentation"]["description"] == "A mart."
    (read,), (written,) = event["inputs"], event["outputs"]
    assert (read["namespace"], read["name"]) == ("duckdb://orders", "orders.raw.orders")
    assert "outputFacets" not in read
    assert written["facets"]["schema"]["fields"] == [{"name": "id", "type": "bigint"}]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 0
    assert written["facets"]["dataSource"]["uri"] == "duckdb://orders"


def test_what_is_not_known_is_left_out() -> None:
    event: dict[str, Any] = run_event(EventKind.START, run_id(JOB, AT), Job("n", "j"), at=AT)
    assert event["job"] == {"namespace": "n", "name": "j", "facets": {}}
    assert event["run"]["facets"] == {}
    assert event["inputs"] == event["outputs"] == []

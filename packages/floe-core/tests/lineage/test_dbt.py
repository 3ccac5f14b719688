from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from floe_core.lineage import DataSource, Job, Run, datasets_of, model_events
from floe_core.plugins import DbtCommand, DbtNode, DbtResult
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
RUN = Run.begin(Job("orders", "orders", job_type="PRODUCT"), AT)
SOURCE = DataSource("duckdb://orders", "duckdb")
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def entry(kind: str, name: str, *upstream: str, **more: Any) -> dict[str, Any]:
    place = {"database": "db", "schema": "s", "alias": name}
    return {"resource_type": kind, "name": name, **place, "depends_on": {"nodes": list(upstream)}, **more}


MANIFEST: dict[str, Any] = {
    "nodes": {
        "seed.o.raw": entry("seed", "raw"),
        "model.o.eph": entry("model", "eph", "seed.o.raw", "source.o.s.t", config={"materialized": "ephemeral"}),
        "model.o.mart": entry(
            "model",
            "mart",
            "model.o.eph",
            "seed.o.raw",
            "macro.o.m",
            "model.o.gone",
            compiled_code="select 1",
            description="A mart.",
            columns={"id": {"name": "id", "data_type": "bigint", "description": None}},
        ),
        "test.o.t": entry("test", "t", "model.o.mart"),
    },
    "sources": {"source.o.s.t": {**entry("source", "t"), "identifier": "real_t", "alias": None}},
}


def node(unique_id: str, status: str = "success", **more: Any) -> DbtNode:
    kind, _, name = unique_id.split(".", 2)
    return DbtNode(unique_id, name, kind, status, **more)


def events(*nodes: DbtNode, manifest: dict[str, Any] | None = None, **more: Any) -> tuple[dict[str, Any], ...]:
    result = DbtResult(DbtCommand.BUILD, success=True, elapsed_s=1, nodes=nodes)
    return model_events(result, MANIFEST if manifest is None else manifest, RUN, data_source=SOURCE, **more)


def test_a_model_starts_and_completes() -> None:
    end = AT + timedelta(seconds=2)
    start, done = events(node("model.o.mart", started_at=AT, finished_at=end, rows=3), traceparent=TRACE)
    assert (start["eventType"], done["eventType"]) == ("START", "COMPLETE")
    assert datetime.fromisoformat(start["eventTime"]) == AT
    assert datetime.fromisoformat(done["eventTime"]) == end
    assert start["run"]["runId"] == done["run"]["runId"] != str(RUN.id)
    assert done["run"]["facets"]["parent"]["run"]["runId"] == str(RUN.id)
    assert done["run"]["facets"]["floe_traceCorrelation"]["traceparent"] == TRACE
    assert (done["job"]["namespace"], done["job"]["name"]) == ("orders", "model.o.mart")
    assert done["job"]["facets"]["sql"]["query"] == "select 1"
    assert [one["name"] for one in done["inputs"]] == ["db.s.raw", "db.s.real_t"]
    (written,) = done["outputs"]
    assert written["name"] == "db.s.mart"
    assert written["facets"]["schema"]["fields"] == [{"name": "id", "type": "bigint"}]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert "outputFacets" not in start["outputs"][0]


def test_a_failure_says_why_and_counts_no_rows() -> None:
    _, failed = events(node("model.o.mart", "error", message="no such column", rows=3))
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["facets"]["errorMessage"]["message"] == "no such column"
    assert failed["eventTime"] == RUN.began.isoformat(timespec="microseconds")
    assert "outputFacets" not in failed["outputs"][0]


def test_what_never_ran_and_what_builds_nothing_is_not_told() -> None:
    assert events(node("model.o.mart", "skipped"), node("test.o.t", "fail"), node("operation.o.x")) == ()


def test_order_and_identity_are_kept() -> None:
    nodes = (node("seed.o.raw"), node("model.o.mart"))
    first = events(*nodes)
    assert [event["job"]["name"] for event in first] == ["seed.o.raw"] * 2 + ["model.o.mart"] * 2
    assert first == events(*nodes)
    assert len({event["run"]["runId"] for event in first}) == 2


def test_without_a_manifest_names_remain() -> None:
    _, done = events(node("model.o.mart"), manifest={})
    assert done["inputs"] == []
    assert done["outputs"][0]["name"] == "mart"


def test_a_cycle_of_ephemeral_models_ends() -> None:
    ephemeral = {"materialized": "ephemeral"}
    looped = {
        "nodes": {
            f"model.o.{a}": entry("model", a, f"model.o.{b}", config=ephemeral) for a, b in (("x", "y"), ("y", "x"))
        }
    }
    assert datasets_of(looped, ("model.o.x",), SOURCE) == ()


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "resource_type": st.sampled_from(["model", "seed", "source"]) | JSONS,
        "depends_on": st.just({"nodes": ["model.o.mart", "seed.o.raw"]}) | JSONS,
        "config": st.just({"materialized": "ephemeral"}) | JSONS,
        "columns": st.just({"a": {"name": "a"}}) | JSONS,
        "alias": JSONS,
        "compiled_code": JSONS,
    },
)


@given(st.dictionaries(st.sampled_from(["model.o.mart", "seed.o.raw"]), ENTRIES | JSONS), JSONS)
def test_any_manifest_gives_events(nodes: dict[str, Any], sources: Any) -> None:
    told = events(node("model.o.mart"), node("seed.o.raw"), manifest={"nodes": nodes, "sources": sources})
    assert len(told) == 4
    assert events(node("model.o.mart"), manifest={"nodes": sources})[1]["outputs"]

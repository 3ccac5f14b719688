"""dbt's manifest: what is read of it, and every way in which it can be no manifest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from floe_core.dbt_manifest import ManifestError, parse
from floe_core.dbt_manifest import manifest as module
from hypothesis import given
from hypothesis import strategies as st

METADATA = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "project_name": "orders"}


def model(name: str, **fields: Any) -> dict[str, Any]:
    return {"resource_type": "model", "package_name": "orders", "name": name, **fields}


def whole(nodes: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"metadata": METADATA, "nodes": nodes, **fields}).encode()


def test_what_is_needed_is_read() -> None:
    nodes = {
        "model.orders.a": model(
            "a",
            description="Rows.",
            columns={"Day": {"name": "Day", "description": "The day."}},
            tags=["daily"],
            original_file_path="models\\a.sql",
            checksum={"name": "sha256", "checksum": "00"},
            depends_on={"nodes": ["seed.orders.s", "model.orders.b", "model.orders.b", "model.other.c"]},
        ),
        "model.orders.b": model("b"),
        "model.other.c": {**model("c"), "package_name": "other"},
        "seed.orders.s": {**model("s"), "resource_type": "seed"},
        "test.1": {
            "resource_type": "test",
            "attached_node": "model.orders.a",
            "test_metadata": {"name": "at_least", "namespace": "utils"},
            "depends_on": {"nodes": ["model.orders.a", "model.orders.b"]},
        },
        "test.2": {"resource_type": "test", "name": "sums", "depends_on": {"nodes": ["model.orders.b", "x"]}},
    }
    disabled = {"model.orders.d": [model("d")]}
    made = parse(whole(nodes, disabled=disabled, sources={"s": {"source_name": "crm", "name": "people"}}))
    a, b = made.models["a"], made.models["b"]
    assert set(made.models) == {"a", "b"}
    assert (a.description, a.tags, a.path, a.checksum) == ("Rows.", ("daily",), "models/a.sql", "00")
    assert a.columns["day"].description == "The day."
    assert a.depends_on == ("b",)
    assert (a.tests, b.tests) == ({"utils.at_least"}, {"sums"})
    assert (made.seeds, made.sources, made.disabled) == (("s",), ("crm.people",), frozenset({"d"}))


def test_of_several_versions_the_latest_counts() -> None:
    versions = {
        f"model.orders.a.v{one}": model("a", version=one, latest_version=2, description=f"v{one}") for one in (1, 2, 3)
    }
    assert parse(whole(versions)).models["a"].description == "v2"


def test_a_project_without_a_name_is_that_of_most_models() -> None:
    nodes = {"model.o.a": model("a"), "model.o.b": model("b"), "model.x.c": {**model("c"), "package_name": "x"}}
    raw = json.dumps({"metadata": {**METADATA, "project_name": None}, "nodes": nodes}).encode()
    assert parse(raw).project_name == "orders"


@pytest.mark.parametrize(
    ("raw", "reason", "place"),
    [
        (b"", "ends in the middle", "1:1"),
        (whole({"a": model("a")})[:-20], "ends in the middle", "1:"),
        (b"{]", "no JSON", "1:2"),
        (b'{\n  "metadata": nope}', "no JSON", "2:15"),
        (b"[]", "no mapping", "1:1"),
        (b"{}", "does not name dbt's schema", "metadata.dbt_schema_version"),
        (b'{"metadata": {"dbt_schema_version": 12}}', "does not name", "metadata.dbt_schema_version"),
        (whole({}).replace(b"manifest/v12", b"run-results/v6"), "does not name", "metadata.dbt_schema_version"),
        (whole({}).replace(b"v12", b"v3"), "schema is v3", "metadata.dbt_schema_version"),
        (whole({}).replace(b"v12", b"v13"), "schema is v13", "metadata.dbt_schema_version"),
        (json.dumps({"metadata": METADATA, "nodes": []}).encode(), "no nodes", "nodes"),
        (b"\xff\xfe\xfa", "not UTF-8", ""),
        (b'{"a":' * 200_000, "nested deeper", ""),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON", ""),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(raw: bytes, reason: str, place: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(raw)
    assert reason in caught.value.reason
    assert caught.value.place.startswith(place)
    assert bool(caught.value.place) == bool(place)


def test_the_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    with pytest.raises(ManifestError, match="larger than"):
        parse(whole({}))


def test_half_a_surrogate_pair_can_be_printed() -> None:
    made = parse(whole({"model.orders.a": model("a", description="\ud800")}))
    assert made.models["a"].description.encode() == b"?"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["name", "resource_type", "package_name", "columns", "tags", "checksum", "depends_on", "attached_node", "config"]
)
NODE = st.dictionaries(FIELDS, JSON | st.sampled_from(["model", "test", "seed", "orders"]), max_size=8) | JSON


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), NODE), JSON, JSON, JSON)
def test_any_content_gives_a_manifest_or_a_reason(nodes: Any, sources: Any, disabled: Any, project: Any) -> None:
    metadata = {**METADATA, "project_name": project}
    raw = json.dumps({"metadata": metadata, "nodes": nodes, "sources": sources, "disabled": disabled}).encode()
    made = parse(raw)
    assert all(one.name.encode() for one in made.models.values())


@given(st.binary(max_size=200))
def test_any_bytes_give_a_reason(raw: bytes) -> None:
    with pytest.raises(ManifestError):
        parse(raw)

"""What becomes of dbt's models: cubes, keys, measures, joins, views, and what is refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import FloeError
from floe_core.plugins import SemanticLayerError, SemanticRequest
from floe_semantic_cube.columns import cube_type
from floe_semantic_cube.config import CubeConfig
from floe_semantic_cube.names import text
from floe_semantic_cube.plugin import CubePlugin
from hypothesis import given, settings
from hypothesis import strategies as st

ORDERS, CUSTOMERS = "model.shop.mart_orders", "model.shop.mart_customers"
RELATION = "test.shop.relationships_mart_orders_customer_id_mart_customers"


def named(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries}


def test_a_cube_has_types_key_measures_and_joins(dbt_manifest: dict[str, Any], generated: Any) -> None:
    found, result = generated(dbt_manifest)
    assert set(found) == {"mart_orders", "mart_customers", "mart_orders_view", "mart_customers_view"}
    assert result.notes == ()
    orders = found["mart_orders"]
    assert orders["sql_table"] == '"shop"."marts"."mart_orders"'
    assert orders["description"] == "All of mart_orders."
    dimensions = named(orders["dimensions"])
    assert {name: one["type"] for name, one in dimensions.items()} == {
        "order_id": "number",
        "customer_id": "string",
        "amount": "number",
        "average_discount": "number",
        "ordered_at": "time",
        "is_paid": "boolean",
    }
    assert [name for name, one in dimensions.items() if one.get("primary_key")] == ["order_id"]
    assert dimensions["order_id"]["public"] is True
    # Neither the key nor an average is added up.
    assert [(one["name"], one["type"]) for one in orders["measures"]] == [("count", "count"), ("total_amount", "sum")]
    sql = "{CUBE}.customer_id = {mart_customers}.customer_id"
    assert orders["joins"] == [{"name": "mart_customers", "relationship": "many_to_one", "sql": sql}]


def test_a_unique_column_joins_one_to_one(dbt_manifest: dict[str, Any], generated: Any) -> None:
    unique = copy.deepcopy(dbt_manifest["nodes"]["test.shop.unique_mart_orders_order_id_"])
    unique |= {"unique_id": "test.shop.another", "column_name": "customer_id"}
    dbt_manifest["nodes"]["test.shop.another"] = unique
    found, _ = generated(dbt_manifest)
    assert found["mart_orders"]["joins"][0]["relationship"] == "one_to_one"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda nodes: nodes.pop("test.shop.unique_mart_customers_customer_id_"), "nothing says that"),
        (lambda nodes: nodes[CUSTOMERS].update(tags=[], name="customers"), "that model is no cube"),
        (lambda nodes: nodes.pop("test.shop.not_null_mart_orders_order_id_"), "mart_orders has no primary key"),
        (lambda nodes: nodes[ORDERS]["columns"].pop("customer_id"), "is not documented"),
        (
            lambda nodes: nodes.update(
                again={**copy.deepcopy(nodes[RELATION]), "unique_id": "test.shop.z", "column_name": "order_id"}
            ),
            "more than one way",
        ),
    ],
)
def test_a_join_that_could_count_twice_is_left_out_and_told(
    dbt_manifest: dict[str, Any], generated: Any, change: Any, note: str
) -> None:
    change(dbt_manifest["nodes"])
    found, result = generated(dbt_manifest)
    assert "joins" not in found["mart_orders"]
    assert any(note in one and one.startswith("mart_orders: no join") for one in result.notes), result.notes


def test_a_test_of_some_rows_proves_nothing(dbt_manifest: dict[str, Any], generated: Any) -> None:
    dbt_manifest["nodes"]["test.shop.unique_mart_customers_customer_id_"]["config"]["where"] = "segment = 'a'"
    found, _ = generated(dbt_manifest)
    assert not [one for one in found["mart_customers"]["dimensions"] if one.get("primary_key")]


@pytest.mark.parametrize("lenient", [{"severity": "WARN"}, {"error_if": "> 10"}])
def test_a_test_that_lets_rows_pass_proves_nothing(
    dbt_manifest: dict[str, Any], generated: Any, lenient: dict[str, str]
) -> None:
    dbt_manifest["nodes"]["test.shop.unique_mart_customers_customer_id_"]["config"] |= lenient
    found, result = generated(dbt_manifest)
    assert not [one for one in found["mart_customers"]["dimensions"] if one.get("primary_key")]
    assert any("nothing says that mart_customers.customer_id is unique" in one for one in result.notes)


def test_a_joined_member_whose_name_is_taken_is_left_out_and_told(dbt_manifest: dict[str, Any], generated: Any) -> None:
    customers, orders = dbt_manifest["nodes"][CUSTOMERS], dbt_manifest["nodes"][ORDERS]
    customers["meta"] = {"cube": {"name": "customer"}}
    customers["columns"]["customer_id"]["meta"] = {"cube": {"name": "id"}}
    orders["columns"]["customer_id"]["meta"] = {}
    found, result = generated(dbt_manifest)
    own, joined = (part["includes"] for part in found["mart_orders_view"]["cubes"])
    assert "customer_id" in own
    assert "id" not in joined
    assert "email" in joined
    assert result.notes == ("mart_orders_view: left out customer.id, whose name there is taken",)


def test_a_join_can_be_declined(dbt_manifest: dict[str, Any], generated: Any) -> None:
    dbt_manifest["nodes"][RELATION]["config"]["meta"] = {"cube": {"join": False}}
    found, result = generated(dbt_manifest)
    assert "joins" not in found["mart_orders"]
    assert result.notes == ()


@pytest.mark.parametrize(
    "how",
    [
        lambda column: column.update(meta={"classification": "pii"}),
        lambda column: column.update(config={"meta": {"classification": "pii"}}),
        lambda column: column.update(tags=["pii"]),
        lambda column: column.update(meta={"classification": "PII"}),
        lambda column: column.update(meta={"classification": "pii", "cube": {"public": True}}),
    ],
)
def test_personal_data_is_public_nowhere(dbt_manifest: dict[str, Any], generated: Any, how: Any) -> None:
    how(dbt_manifest["nodes"][CUSTOMERS]["columns"]["email"])
    found, _ = generated(dbt_manifest)
    assert named(found["mart_customers"]["dimensions"])["email"]["public"] is False
    includes = [one for view in found.values() for part in view.get("cubes", []) for one in part["includes"]]
    assert "segment" in includes
    assert "email" not in includes


def test_the_products_classification_counts_too(dbt_manifest: dict[str, Any], generated: Any) -> None:
    dbt_manifest["nodes"][CUSTOMERS]["columns"]["email"]["name"] = "EMAIL"
    said = {"mart_customers": {"customer_id": "pii", "email": "pii"}}
    found, _ = generated(dbt_manifest, classifications=said)
    assert named(found["mart_customers"]["dimensions"])["EMAIL"]["public"] is False
    key = named(found["mart_customers"]["dimensions"])["customer_id"]
    assert (key["primary_key"], key["public"]) == (True, False)
    assert found["mart_orders"]["joins"], "a join may use what people may not see"


def test_selection_by_tag_prefix_and_port(dbt_manifest: dict[str, Any], generated: Any) -> None:
    only = {"select": {"tags": ["staging"], "prefixes": [], "output_ports": False}, "views": False}
    assert set(generated(dbt_manifest, only)[0]) == {"stg_orders"}
    ports = {"select": {"tags": [], "prefixes": []}, "views": False}
    found, result = generated(dbt_manifest, ports, output_ports=frozenset({"mart_customers"}))
    assert set(found) == {"mart_customers"}
    assert [path.name for path in result.removed] == ["stg_orders.yml"]
    # A product may offer nothing: it is said, and what an earlier generation left is gone.
    found, result = generated(dbt_manifest, {"select": {"tags": ["x"], "prefixes": ["y_"]}})
    assert (found, result.files) == ({}, ())
    assert [path.name for path in result.removed] == ["mart_customers.yml"]
    (note,) = result.notes
    assert "none of 3 is an output port, has a tag of [x] or begins with one of [y_]" in note


def test_private_models_are_not_public_and_have_no_view(dbt_manifest: dict[str, Any], generated: Any) -> None:
    dbt_manifest["nodes"][CUSTOMERS]["access"] = "private"
    found, _ = generated(dbt_manifest)
    assert found["mart_customers"]["public"] is False
    assert "mart_customers_view" not in found
    assert [part["join_path"] for part in found["mart_orders_view"]["cubes"]] == ["mart_orders"]


def test_columns_say_what_is_measured(dbt_manifest: dict[str, Any], generated: Any) -> None:
    columns = dbt_manifest["nodes"][ORDERS]["columns"]
    columns["amount"]["meta"] = {"cube": {"aggregate": ["avg", "max"], "format": "currency", "title": "Sum"}}
    columns["average_discount"]["meta"] = {"cube": {"hidden": True}}
    columns["is_paid"]["meta"] = {"cube": {"name": "paid"}}
    orders = generated(dbt_manifest)[0]["mart_orders"]
    kinds = {one["name"]: one["type"] for one in orders["measures"]}
    assert kinds == {"count": "count", "average_amount": "avg", "greatest_amount": "max"}
    dimensions = named(orders["dimensions"])
    assert dimensions["paid"]["sql"] == "{CUBE}.is_paid"
    assert dimensions["amount"]["title"] == "Sum"
    assert "average_discount" not in dimensions
    without = generated(dbt_manifest, {"numeric_measures": "none"})[0]["mart_customers"]
    assert [one["name"] for one in without["measures"]] == ["count"]


def test_names_that_need_quotes_and_another_database(dbt_manifest: dict[str, Any], generated: Any) -> None:
    columns = dbt_manifest["nodes"][ORDERS]["columns"]
    columns["amount due"] = {"name": "amount due", "data_type": "int", "meta": {"cube": {"name": "amount_due"}}}
    found, _ = generated(dbt_manifest, {"database": "lake"})
    assert found["mart_orders"]["sql_table"] == '"lake"."marts"."mart_orders"'
    assert named(found["mart_orders"]["dimensions"])["amount_due"]["sql"] == '{CUBE}."amount due"'


def test_versions_are_cubes_of_their_own(dbt_manifest: dict[str, Any], generated: Any) -> None:
    old = copy.deepcopy(dbt_manifest["nodes"][CUSTOMERS])
    dbt_manifest["nodes"][CUSTOMERS] |= {"version": 2, "latest_version": 2}
    old |= {"unique_id": f"{CUSTOMERS}.v1", "version": 1, "latest_version": 2}
    dbt_manifest["nodes"][old["unique_id"]] = old
    assert {"mart_customers", "mart_customers_v1"} <= set(generated(dbt_manifest)[0])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda node: node.update(name="class"), "reserved"),
        (lambda node: node.update(name="None"), "reserved"),
        (lambda node: node.update(name="MART_CUSTOMERS"), "two models"),
        (lambda node: node["columns"].update(x={"name": "a b"}), "letters, digits"),
        (lambda node: node["columns"].update(x={"name": "constructor"}), "reserved"),
        (lambda node: node["columns"].update(x={"name": "count"}), "two members"),
        (lambda node: node["columns"].update(x={"name": "Amount"}), "case only"),
        (lambda node: node["columns"].update(x={"name": 'q"', "meta": {"cube": {"name": "q"}}}), "holds a quote"),
        (lambda node: node.update(relation_name='"a"."{b}"'), "relation"),
        (lambda node: node.update(meta={"cube": {"measuers": []}}), "what can be written there"),
        (lambda node: node.update(meta={"cube": {"measures": [{"name": "x", "type": "sum"}]}}), "needs sql"),
        (lambda node: node.update(meta={"cube": {"segments": [{"name": "s", "sql": "{{ x }}"}]}}), "Jinja"),
        (lambda node: node.update(meta={"cube": {"primary_key": ["nope"]}}), "no column of it"),
        (
            lambda node: node.update(meta={"cube": {"pre_aggregations": [{"name": "p", "measures": ["nope"]}]}}),
            "does not have",
        ),
        (lambda node: node.update(columns=[1]), "cannot be read"),
    ],
)
def test_what_cube_cannot_take_is_refused_with_its_file(
    dbt_manifest: dict[str, Any], generated: Any, change: Any, says: str, tmp_path: Path
) -> None:
    change(dbt_manifest["nodes"][ORDERS])
    with pytest.raises(SemanticLayerError) as refused:
        generated(dbt_manifest)
    assert says in str(refused.value)
    assert "models/marts.yml" in refused.value.where or "manifest.json" in refused.value.where
    assert not list(tmp_path.rglob("*.yml"))


def test_a_column_that_is_called_as_a_sum_would_be_keeps_its_name(dbt_manifest: dict[str, Any], generated: Any) -> None:
    dbt_manifest["nodes"][ORDERS]["columns"]["total_amount"] = {"name": "total_amount", "data_type": "int"}
    names = [one["name"] for one in generated(dbt_manifest)[0]["mart_orders"]["measures"]]
    assert names == ["count", "total_total_amount"]


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [
        ("INTEGER", "number"),
        ("numeric(38, 2)", "number"),
        ("double precision", "number"),
        ("UBIGINT", "number"),
        ("interval", "string"),
        ("int[]", "string"),
        ("struct(a int)", "string"),
        ("timestamptz", "time"),
        ("timestamp_ntz(9)", "time"),
        ("date", "time"),
        ("time", "string"),
        ("Boolean", "boolean"),
        ("array<int>", "string"),
        ("json", "string"),
        ("", "string"),
    ],
)
def test_types(data_type: str, expected: str) -> None:
    assert cube_type(data_type) == expected


def test_an_unknown_type_is_told(dbt_manifest: dict[str, Any], generated: Any) -> None:
    dbt_manifest["nodes"][ORDERS]["columns"]["amount"]["data_type"] = None
    _, result = generated(dbt_manifest)
    assert result.notes == ("mart_orders: no data_type, so taken for text: amount",)


@given(st.text(max_size=60))
def test_text_holds_nothing_that_cube_would_run(sentence: str) -> None:
    shown = text(sentence)
    assert not any(mark in shown for mark in ("{{", "}}", "{%", "%}"))
    assert "\n" not in shown
    assert not shown.endswith("\\")
    assert all(shown[place - 1] == "\\" for place, sign in enumerate(shown) if sign in "{}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["name", "alias", "columns", "tags", "meta", "config", "constraints", "version", "patch_path"])


@settings(max_examples=60, deadline=None)
@given(changes=st.dictionaries(FIELDS, JSON, max_size=3), cube=JSON)
def test_any_node_gives_a_result_or_a_readable_error(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any], cube: Any
) -> None:
    folder = tmp_path_factory.mktemp("any") / "model"
    node = {
        "resource_type": "model",
        "unique_id": ORDERS,
        "name": "mart_orders",
        "schema": "marts",
        "meta": {"cube": cube},
        **changes,
    }
    document = {"metadata": {"dbt_schema_version": "x/dbt/manifest/v12.json"}, "nodes": {ORDERS: node}}
    try:
        CubePlugin(CubeConfig()).generate(SemanticRequest(document, folder))
    except FloeError:
        assert not folder.exists() or not list(folder.rglob("*.yml"))

"""Assets and checks of a dbt project, beside those that dagster-dbt makes of the same manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dagster import AssetKey, multi_asset
from floe_orchestrator_dagster.assets.specs import DbtSpecs
from floe_orchestrator_dagster.product import Product, read_product
from floe_orchestrator_dagster.resources.dbt_resource import DbtResource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MORE = {
    "models/schema.yml": (
        "sources:\n  - name: shop\n    schema: raw\n    tables: [{ name: visits, columns: [{ name: id,"
        " data_tests: [unique] }] }]\n"
        "models:\n  - name: dear_things\n    description: Dear.\n    config: { tags: [nightly, 'not a tag!'] }\n"
        "    columns:\n      - { name: id, data_type: integer, description: Which., data_tests: [unique, not_null] }\n"
        "unit_tests:\n  - name: cheap_is_left_out\n    model: dear_things\n"
        "    given: [{ input: ref('raw_things'), rows: [{ id: 1, price: 10 }, { id: 2, price: 20 }] }]\n"
        "    expect: { rows: [{ id: 2, price: 20 }] }\n"
    ),
    "models/hidden.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('dear_things') }}\n",
    "models/seen.sql": "select h.* from {{ ref('hidden') }} as h join {{ source('shop', 'visits') }} using (id)\n",
    "tests/nothing_is_free.sql": "select 1 from {{ ref('raw_things') }} where price = 0\n",
    "tests/nothing_is_lost.sql": "select 1 from {{ ref('raw_things') }} join {{ ref('seen') }} using (id) limit 0\n",
}


@pytest.fixture
def product(make_product: Callable[..., Path], tmp_path: Path) -> Product:
    folder = make_product("")
    for name, text in MORE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    owned = (
        (folder / "floe.yaml").read_text(encoding="utf-8").replace("version: 1.0.0 }", "version: 1.0.0, owner: us }")
    )
    (folder / "floe.yaml").write_text(owned, encoding="utf-8")
    return read_product(folder, state=tmp_path / "state")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """What dbt says of it, from the first test on."""
    return {}


@pytest.fixture
def manifest(product: Product, known: dict[str, Any]) -> dict[str, Any]:
    known.update({} if known else DbtResource.of(product).manifest())
    return known


def key(schema: str, name: str) -> AssetKey:
    return AssetKey(["tiny_product", schema, name])


@pytest.mark.requirement("WU3-AC10")
def test_assets_and_checks_are_those_of_dagster_dbt_and_two_kinds_more(
    product: Product, manifest: dict[str, Any]
) -> None:
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

    ours = DbtSpecs(product, manifest)

    class Translator(DagsterDbtTranslator):
        def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
            return ours.key(dbt_resource_props)

    def nothing(): ...  # type: ignore[no-untyped-def]  # noqa: ANN202 - Dagster reads it as that of one output

    translator = Translator(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))
    theirs = dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="theirs")(nothing)
    made = multi_asset(specs=ours.assets, check_specs=ours.checks, can_subset=True, name="made")(nothing)

    assert made.keys == theirs.keys
    for one in theirs.specs:
        own = made.specs_by_key[one.key]
        assert {dep.asset_key for dep in own.deps} == {dep.asset_key for dep in one.deps}
        assert own.metadata.get("dagster/column_schema") == one.metadata.get("dagster/column_schema")
        assert own.metadata["dagster/table_name"] == one.metadata["dagster/table_name"]
        assert own.kinds == one.kinds
    mine = {check.key: check for check in made.check_specs}
    for check in theirs.check_specs:
        same = mine.pop(check.key)
        assert same.blocking == check.blocking
        assert {dep.asset_key for dep in same.additional_deps} == {dep.asset_key for dep in check.additional_deps}
    assert {one.name for one in mine} == {"cheap_is_left_out", "nothing_is_lost"}


def test_what_dagster_shows_of_a_model(product: Product, manifest: dict[str, Any]) -> None:
    specs = {spec.key: spec for spec in DbtSpecs(product, manifest).assets}
    assert set(specs) == {key("main", name) for name in ("raw_things", "dear_things", "seen")}
    dear = specs[key("main", "dear_things")]
    assert (dear.group_name, list(dear.owners)) == ("gold", ["team:us"])
    assert specs[key("main", "seen")].group_name == "sources"
    assert dict(dear.tags).items() >= {"nightly": ""}.items()
    assert "not a tag!" not in dear.tags
    assert dear.kinds == {"dbt", "duckdb"}
    assert dear.metadata["dbt/file"] == "models/dear_things.sql"
    (column,) = dear.metadata["dagster/column_schema"].columns
    assert (column.name, column.type, column.description) == ("id", "integer", "Which.")
    assert "price > 15" in (dear.description or "")


def test_a_test_of_several_models_belongs_to_the_last_that_is_built(product: Product, manifest: dict[str, Any]) -> None:
    checks = {check.name: check for check in DbtSpecs(product, manifest).checks}
    assert checks["nothing_is_free"].asset_key == key("main", "raw_things")
    lost = checks["nothing_is_lost"]
    assert lost.asset_key == key("main", "seen")
    assert [dep.asset_key for dep in lost.additional_deps] == [key("main", "raw_things")]
    assert checks["cheap_is_left_out"].asset_key == key("main", "dear_things")
    assert "source_unique_shop_visits_id" not in checks  # of a table that this product does not make


def test_the_key_is_the_same_in_both_lanes(product: Product, manifest: dict[str, Any]) -> None:
    specs = DbtSpecs(product, manifest)
    node = {"resource_type": "model", "name": "orders", "schema": "marts"}
    assert specs.key(node) == specs.key({**node, "schema": "tiny_product.marts"}) == key("marts", "orders")
    assert specs.key_of("dear_things") == key("main", "dear_things")
    assert specs.key_of("nowhere") is None

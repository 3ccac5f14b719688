"""floe.yaml against the dbt project beside it, with dbt's manifest and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from floe_core.compilation import compile_product
from floe_core.spec import Problem, SpecError

Edit = Callable[[Path, str, str], None]
Write = Callable[..., Path]


def refused(example: Path) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        compile_product(example / "orders")
    return caught.value.problems


def models(example: Path) -> Path:
    return example / "orders" / "models"


def test_a_project_that_agrees_is_taken(example: Path, dbt_files: Write) -> None:
    dbt_files(example / "orders", manifest=False)
    made = compile_product(example / "orders")
    assert made.dbt_manifest.used is False
    assert "no target/manifest.json" in made.dbt_manifest.why


def test_dbts_manifest_is_used_and_told(example: Path, dbt_files: Write) -> None:
    dbt_files(example / "orders")
    made = compile_product(example / "orders")
    record = made.dbt_manifest
    assert (record.used, record.why, record.dbt_version, record.models, record.tests) == (True, "", "1.11.16", 3, 3)
    assert made.models[0].tests == ("not_null",)


# what is written into which model, the code, the field, and words of the reason and the remedy
CONTRADICTIONS = [
    ("gold_orders_by_day", "{{ ref('bronze_orders') }}", "transforms[2].dependsOn[0]", "does not read it", "remove it"),
    (
        "gold_orders_by_day",
        "{{ ref('silver_orders') }}\n{{ ref('bronze_orders') }}",
        "transforms[2].dependsOn",
        "models/gold_orders_by_day.sql:2 reads bronze_orders",
        "dependsOn: [silver_orders, bronze_orders]",
    ),
    (
        "bronze_orders",
        "{{ ref('orders', 'silver_orders') }}",
        "transforms[0].dependsOn",
        "reads silver_orders",
        "write",
    ),
]


@pytest.mark.requirement("WU6-X4")
@pytest.mark.parametrize(("model", "sql", "field", "reason", "remedy"), CONTRADICTIONS)
def test_a_contradiction_in_the_files_is_refused(  # noqa: PLR0913, PLR0917 - one row of the table
    example: Path, dbt_files: Write, model: str, sql: str, field: str, reason: str, remedy: str
) -> None:
    dbt_files(example / "orders", manifest=False)
    (models(example) / f"{model}.sql").write_text(sql)
    found = [one for one in refused(example) if one.field == field]
    assert [one.code for one in found] == ["FLOE-E209"]
    assert reason in found[0].reason
    assert remedy in found[0].remedy
    assert found[0].line > 0


@pytest.mark.parametrize(
    "sql",
    [
        "{{ ref(var('which')) }}",
        "{% if is_incremental() %}{{ ref('silver_orders') }}{% endif %}",
        "{{ dbt_utils.union_relations([ref('silver_orders')]) }}",
        "{{ a_macro_of_a_package() }}",
        "{% if true %}{{ ref('silver_orders') }}{{ ref('bronze_orders') }}{% endif %}",
        "{{ ref('other_package', 'bronze_orders') }}{{ ref('silver_orders') }}{{ ref('some_seed') }}",
    ],
)
def test_what_the_text_does_not_tell_is_not_judged(example: Path, dbt_files: Write, sql: str) -> None:
    dbt_files(example / "orders", manifest=False)
    (models(example) / "gold_orders_by_day.sql").write_text(sql)
    compile_product(example / "orders")


def test_dbts_manifest_judges_what_the_text_does_not_tell(example: Path, dbt_files: Write) -> None:
    def change(whole: dict[str, Any]) -> None:
        whole["nodes"]["model.orders.gold_orders_by_day"]["depends_on"]["nodes"] = ["model.orders.bronze_orders"]

    dbt_files(example / "orders", change=change)
    assert {(one.code, one.field) for one in refused(example)} == {
        ("FLOE-E209", "transforms[2].dependsOn"),
        ("FLOE-E209", "transforms[2].dependsOn[0]"),
    }


def test_models_and_transforms_are_the_same(example: Path, dbt_files: Write) -> None:
    dbt_files(example / "orders", manifest=False)
    (models(example) / "gold_orders_by_day.sql").rename(models(example) / "gold_orders_by_week.sql")
    found = {(one.code, one.field): one for one in refused(example)}
    assert set(found) == {("FLOE-E210", "transforms"), ("FLOE-E211", "transforms[2].name")}
    assert found["FLOE-E210", "transforms"].nearest == "gold_orders_by_day"
    assert "models/gold_orders_by_week.sql" in found["FLOE-E210", "transforms"].reason
    assert found["FLOE-E211", "transforms[2].name"].nearest == "gold_orders_by_week"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".dbtignore", "extra.sql"),
        ("dbt_project.yml", "name: orders\nmodels: {orders: {old: {+enabled: false}}}\n"),
        ("models/extra.sql", "{{ config(enabled=false) }} select 1"),
    ],
)
def test_a_model_that_may_be_switched_off_is_not_judged(example: Path, dbt_files: Write, path: str, text: str) -> None:
    dbt_files(example / "orders", manifest=False)
    (models(example) / "extra.sql").write_text("select 1")
    assert [one.code for one in refused(example)] == ["FLOE-E210"]
    (example / "orders" / path).write_text(text)
    compile_product(example / "orders")


def test_versions_of_a_model_are_one_transform(example: Path, dbt_files: Write) -> None:
    dbt_files(example / "orders", manifest=False)
    (models(example) / "silver_orders.sql").rename(models(example) / "silver_orders_v1.sql")
    (models(example) / "silver_orders_v2.sql").write_text("select * from {{ ref('bronze_orders', v=1) }}")
    compile_product(example / "orders")


def test_a_project_without_a_folder_of_models_is_not_judged(example: Path) -> None:
    (example / "orders" / "dbt_project.yml").write_text("name: orders\n")
    compile_product(example / "orders")

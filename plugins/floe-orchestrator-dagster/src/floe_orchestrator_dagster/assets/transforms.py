"""A product's dbt models, seeds and tests as Dagster assets and checks."""

# No postponed annotations here: Dagster compares the annotation of `context` with its classes, and a string is none.
from collections.abc import Iterator, Mapping
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.dbt_resource import surroundings

UNTIERED = "sources"
"""The group of what is not listed in floe.yaml, such as seeds."""


class ProductTranslator(DagsterDbtTranslator):
    """Names assets `<product>/<schema>/<model>` and groups them by tier; every dbt test is a check.

    Args:
        product: The product whose floe.yaml says the tiers.
    """

    def __init__(self, product: Product) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._product = product

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """The key of a dbt resource, unique over all products of a platform."""
        schema = dbt_resource_props.get("schema") or dbt_resource_props["resource_type"]
        return AssetKey([self._product.slug, schema, dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The tier that floe.yaml gives the model."""
        return self._product.tiers.get(dbt_resource_props["name"], UNTIERED)


def transform_assets(product: Product, project: DbtProject) -> AssetsDefinition:
    """One multi-asset that runs `dbt build` for whatever part of the product is selected.

    The caller provides the resource `dbt`.
    """

    @dbt_assets(
        manifest=project.manifest_path,
        name=f"{product.slug}_dbt",
        project=project,
        dagster_dbt_translator=ProductTranslator(product),
        pool=product.slug,  # one build of a product at a time: its runs share one database file
    )
    def transforms(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        with surroundings(product):  # dbt copies the environment when it starts
            building = dbt.cli(
                ["build"], context=context.op_execution_context, target_path=product.state / "runs" / context.run.run_id
            )
        yield from building.stream()

    return transforms

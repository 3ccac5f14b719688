"""A product's dbt models, seeds and tests as Dagster assets and checks."""

# No postponed annotations here: Dagster compares the annotation of `context` with its classes, and a string is none.
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
)
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from floe_core.plugins import DbtNode

from floe_orchestrator_dagster.product import Product

if TYPE_CHECKING:
    from floe_orchestrator_dagster.resources.dbt_resource import DbtResource

UNTIERED = "sources"
"""The group of what is not listed in floe.yaml, such as seeds."""

UNIQUE_ID = "dagster_dbt/unique_id"
"""The metadata under which dagster-dbt keeps dbt's id of an asset or a check."""

_BUILT = frozenset({"success"})
_PASSED = frozenset({"pass"})
_JUDGED = frozenset({"pass", "fail", "warn", "error"})


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


def transform_assets(product: Product, manifest: Mapping[str, Any]) -> AssetsDefinition:
    """One multi-asset that builds whatever part is selected; the caller provides the resource `product.resource`."""

    @dbt_assets(
        manifest=manifest,
        name=f"{product.slug}_dbt",
        dagster_dbt_translator=ProductTranslator(product),
        pool=product.slug,  # one build of a product at a time: its runs share one database file
        required_resource_keys={product.resource},
    )
    def transforms(context: AssetExecutionContext) -> Iterator[Any]:
        dbt: DbtResource = getattr(context.resources, product.resource)
        selected = _selected(context)
        result = dbt.build(
            context.run.run_id,
            select=_selection(manifest, selected) if context.is_subset else (),
            on_node=lambda node: context.log.info("%s %s %s", node.status, node.resource_type, node.name),
        )
        for node in result.nodes:
            yield from _told(node, selected.get(node.unique_id))
        result.raise_for_failure()

    return transforms


def _selected(context: AssetExecutionContext) -> dict[str, tuple[AssetKey, str]]:
    """Asset key, and name of the check where it is one, of what this run shall do, by dbt's id."""
    definition = context.assets_def
    assets = {
        spec.metadata[UNIQUE_ID]: (spec.key, "") for spec in definition.specs if spec.key in context.selected_asset_keys
    }
    checks = {
        spec.metadata[UNIQUE_ID]: (spec.asset_key, spec.name)
        for spec in definition.check_specs
        if spec.key in context.selected_asset_check_keys and spec.metadata
    }
    return {**assets, **checks}


def _selection(manifest: Mapping[str, Any], selected: Mapping[str, tuple[AssetKey, str]]) -> tuple[str, ...]:
    """The words of a dbt selection for a part of the project: every node by its full name."""
    nodes = {**manifest["nodes"], **manifest.get("unit_tests", {})}
    return tuple(sorted(f"fqn:{'.'.join(nodes[unique_id]['fqn'])}" for unique_id in selected))


def _told(node: DbtNode, known: tuple[AssetKey, str] | None) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
    """What Dagster is told of a node; nothing of one that was not asked for or did not run."""
    if known is None:
        return
    key, check = known
    if not check:
        if node.status in _BUILT:
            yield MaterializeResult(asset_key=key, metadata=_metadata(node))
    elif node.status in _JUDGED:
        severity = AssetCheckSeverity.WARN if node.status == "warn" else AssetCheckSeverity.ERROR
        yield AssetCheckResult(
            asset_key=key, check_name=check, passed=node.status in _PASSED, severity=severity, metadata=_metadata(node)
        )


def _metadata(node: DbtNode) -> dict[str, Any]:
    """Figures that Dagster shows: rows written or failing, seconds, and the database's words on a failure."""
    found: dict[str, Any] = {"dbt/unique_id": node.unique_id}
    if node.rows is not None:
        found["rows"] = node.rows
    if node.started_at and node.finished_at:
        found["seconds"] = (node.finished_at - node.started_at).total_seconds()
    if node.message and node.status not in _BUILT | _PASSED:
        found["message"] = node.message
    return found

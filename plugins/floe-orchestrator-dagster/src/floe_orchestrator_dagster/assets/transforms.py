"""A product's dbt models, seeds, snapshots and tests as Dagster assets and checks."""

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
    multi_asset,
)
from floe_core.plugins import DbtNode, Lane

from floe_orchestrator_dagster.assets.specs import MATERIALIZED, UNIQUE_ID, DbtSpecs
from floe_orchestrator_dagster.io_manager import described
from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.tracing import Tracing

if TYPE_CHECKING:
    from floe_orchestrator_dagster.resources.dbt_resource import DbtResource
    from floe_orchestrator_dagster.resources.iceberg import IcebergResource

ICEBERG: str = "iceberg"
"""The product's resource that opens the catalog; see `Product.resource_named`."""

_BUILT = frozenset({"success"})
_PASSED = frozenset({"pass"})
_JUDGED = frozenset({"pass", "fail", "warn", "error"})


def transform_assets(product: Product, specs: DbtSpecs, tracing: Tracing) -> AssetsDefinition:
    """One multi-asset that builds whatever part is selected.

    The caller provides the resource `product.resource`, and in the Iceberg lane the one that opens the catalog.
    """
    catalog = product.resource_named(ICEBERG) if product.lane is Lane.ICEBERG else None

    @multi_asset(
        name=f"{product.slug}_dbt",
        specs=specs.assets,
        check_specs=specs.checks,
        can_subset=True,
        pool=product.slug,  # one build of a product at a time: its runs share one database file
        required_resource_keys={product.resource, *([catalog] if catalog else [])},
    )
    def transforms(context: AssetExecutionContext) -> Iterator[Any]:
        dbt: DbtResource = getattr(context.resources, product.resource)
        tables = _Tables(getattr(context.resources, catalog) if catalog else None)
        selected = _selected(context)
        with tracing.step(context, f"dagster step {product.slug}_dbt", **{"dagster.assets": _names(context)}):
            result = dbt.build(
                context.run.run_id,
                select=_selection(specs.manifest, selected) if context.is_subset else (),
                on_node=lambda node: context.log.info("%s %s %s", node.status, node.resource_type, node.name),
            )
            views = {
                key for key, spec in context.assets_def.specs_by_key.items() if spec.metadata[MATERIALIZED] == "view"
            }
            for node in result.nodes:
                known = selected.get(node.unique_id)
                more = tables.told(known[0]) if known and not known[1] and known[0] not in views else {}
                yield from _told(node, known, more)
            result.raise_for_failure()

    return transforms


class _Tables:
    """What the catalog says of the tables that a build has left there; nothing outside of the Iceberg lane."""

    def __init__(self, resource: "IcebergResource | None") -> None:
        self._resource = resource

    def told(self, key: AssetKey) -> dict[str, Any]:
        """Place, rows, snapshot and columns of an asset's table; {} where the catalog has none of that name."""
        if self._resource is None:
            return {}
        from pyiceberg.exceptions import NoSuchTableError

        product, *_, name = key.path
        # A model without a schema of its own lies in the product's namespace itself.
        for identifier in (tuple(key.path), (product, name)):
            try:
                return described(self._resource.catalog().load_table(identifier))
            except NoSuchTableError:
                continue
        return {}


def _names(context: AssetExecutionContext) -> tuple[str, ...]:
    return tuple(sorted(key.to_user_string() for key in context.selected_asset_keys))


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


def _told(
    node: DbtNode, known: tuple[AssetKey, str] | None, more: Mapping[str, Any]
) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
    """What Dagster is told of a node; nothing of one that was not asked for or did not run."""
    if known is None:
        return
    key, check = known
    if not check:
        if node.status in _BUILT:
            yield MaterializeResult(asset_key=key, metadata={**_metadata(node), **_counted(node), **more})
    elif node.status in _JUDGED:
        severity = AssetCheckSeverity.WARN if node.status == "warn" else AssetCheckSeverity.ERROR
        yield AssetCheckResult(
            asset_key=key, check_name=check, passed=node.status in _PASSED, severity=severity, metadata=_metadata(node)
        )


def _metadata(node: DbtNode) -> dict[str, Any]:
    """Figures that Dagster shows: rows written or failing, seconds, and the database's words on a failure."""
    found: dict[str, Any] = {UNIQUE_ID: node.unique_id}
    if node.rows is not None:
        found["rows"] = node.rows
    if node.started_at and node.finished_at:
        found["seconds"] = (node.finished_at - node.started_at).total_seconds()
    if node.message and node.status not in _BUILT | _PASSED:
        found["message"] = node.message
    return found


def _counted(node: DbtNode) -> dict[str, Any]:
    """Dagster's own word for a table's rows, where dbt says them: an incremental model says what it added."""
    whole = node.resource_type == "seed"
    return {"dagster/row_count": node.rows} if whole and node.rows is not None else {}

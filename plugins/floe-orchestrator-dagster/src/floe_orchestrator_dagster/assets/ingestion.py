"""A product's sources as Dagster assets: one asset a table, which the dbt models that read it depend on.

The platform's ingestion plugin loads them, not dagster-dlt's `@dlt_assets`: that needs dlt's own source objects while
the definitions are loaded, so it would import dlt and resolve secrets in every process that only looks at the
definitions; and it runs the pipeline itself, past the lock and the repair that make a killed load harmless here.
"""

# No postponed annotations here: Dagster compares the annotation of `context` with its classes, and a string is none.
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dagster import AssetExecutionContext, AssetKey, AssetOut, AssetsDefinition, Nothing, Output, multi_asset
from floe_core.plugins import Lane
from floe_core.spec.product import SourceSpec

from floe_orchestrator_dagster.assets.specs import UNTIERED
from floe_orchestrator_dagster.io_manager import MODE
from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen
from floe_orchestrator_dagster.resources.ingestion import tables_of
from floe_orchestrator_dagster.tracing import Tracing

if TYPE_CHECKING:
    from floe_orchestrator_dagster.resources.ingestion import IngestionResource

INGESTION: str = "ingestion"
"""The product's resource that loads its sources."""
IO_MANAGER: str = "iceberg_io"
"""The product's IO manager, in the Iceberg lane."""


def ingestion_assets(product: Product, plugin: Chosen, tracing: Tracing) -> list[AssetsDefinition]:
    """A multi-asset a source; the caller provides the ingestion resource, and the IO manager in the Iceberg lane.

    Rows land in the lane's database file, where dbt finds them. In the Iceberg lane each table is written to the
    catalog too, as it stands in the file after the load, so that every engine can read what came in.

    Args:
        product: The product.
        plugin: The platform's ingestion plugin.
        tracing: Where spans go.
    """
    return [_of_source(product, source, tables_of(plugin, source), tracing) for source in product.spec.sources]


def _of_source(product: Product, source: SourceSpec, tables: tuple[str, ...], tracing: Tracing) -> AssetsDefinition:
    resource = product.resource_named(INGESTION)
    published = product.lane is Lane.ICEBERG

    @multi_asset(
        name=f"{product.slug}_ingest_{source.name}",
        outs={table: _out(product, source, table, published=published) for table in tables},
        pool=product.slug,
        required_resource_keys={resource},
    )
    def load(context: AssetExecutionContext) -> Iterator[Any]:
        loader: IngestionResource = getattr(context.resources, resource)
        with tracing.step(context, f"dagster step ingest {source.name}", **{"floe.source.name": source.name}):
            result = loader.load(source)
            for table in tables:
                rows = result.rows.get(table, 0)
                context.log.info("%s.%s: %d rows loaded", source.dataset, table, rows)
                metadata = {"rows_loaded": rows, "seconds": result.elapsed_s}
                value = loader.landed(source.dataset, table) if published else None
                yield Output(value, output_name=table, metadata=metadata)

    return load


def _out(product: Product, source: SourceSpec, table: str, *, published: bool) -> AssetOut:
    return AssetOut(
        key=AssetKey([product.slug, source.dataset, table]),
        dagster_type=Any if published else Nothing,  # what is nothing goes through no IO manager
        description=f"Loaded from the source {source.name}.",
        metadata={MODE: "overwrite"} if published else {},
        io_manager_key=product.resource_named(IO_MANAGER) if published else None,
        group_name=UNTIERED,
        kinds={"iceberg"} if published else {"duckdb"},
    )

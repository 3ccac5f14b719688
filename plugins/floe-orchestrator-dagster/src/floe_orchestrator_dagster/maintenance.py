"""The job that keeps a product's Iceberg tables quick: small files become large ones, old snapshots expire.

It does what `floe maintain` does, on a schedule.
"""

# No postponed annotations here: Dagster compares the annotation of `context` with its classes, and a string is none.
import contextlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dagster import Config, JobDefinition, OpExecutionContext, RunConfig, job, op
from floe_core.plugins import IcebergCatalog, Keeping
from pydantic import Field

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.tracing import Tracing

if TYPE_CHECKING:
    from floe_core.compilation.artifacts import RetentionRecord

    from floe_orchestrator_dagster.resources.iceberg import IcebergResource

DEFAULT_DAYS: Final = 30
DEFAULT_SNAPSHOTS: Final = 3


class Maintenance(Config):
    """How tables are kept; a launch can say otherwise.

    Attributes:
        days: Days after which a snapshot may go.
        keep_snapshots: Snapshots that stay, whatever their age; tags stay too.
    """

    days: int = Field(default=DEFAULT_DAYS, ge=0)
    keep_snapshots: int = Field(default=DEFAULT_SNAPSHOTS, ge=1)


def maintenance_job(product: Product, tracing: Tracing) -> JobDefinition:
    """The job `<product>_maintenance`, by the product's `retention`, else the platform's.

    The caller provides the resource that opens the catalog.
    """
    resource = product.resource_named("iceberg")
    name = f"{product.slug}_maintenance"

    @op(name=f"{product.slug}_maintain", required_resource_keys={resource}, pool=product.slug)
    def maintain(context: OpExecutionContext, config: Maintenance) -> dict[str, Any]:
        iceberg: IcebergResource = getattr(context.resources, resource)
        with tracing.step(context, f"dagster step {name}"):
            told = maintained(iceberg.catalog(), product.slug, config, context.log.info)
        context.add_output_metadata({"tables": len(told), "by_table": told})
        return told

    @job(
        name=name,
        config=RunConfig(ops={f"{product.slug}_maintain": _said(product)}),
        description="Compacts the product's Iceberg tables, expires snapshots, and removes what killed writers left.",
    )
    def maintenance() -> None:
        maintain()

    return maintenance


def is_said(product: Product) -> bool:
    """Whether anybody says how long history is kept; where nobody does, nothing of it goes without being asked."""
    return _retention(product) is not None


def maintained(
    catalog: IcebergCatalog, namespace: str, config: Maintenance, say: Callable[..., None] | None = None
) -> dict[str, dict[str, Any]]:
    """Merge files, expire snapshots and remove what nothing needs, for every table below a namespace.

    Args:
        catalog: A PyIceberg catalog that is signed in.
        namespace: The product's; where it is not there yet, there is nothing to do.
        config: How tables are kept.
        say: Told of each table as it is done, as a logger's `info` is.

    Raises:
        WrongStateError: A table cannot be maintained; names it. Those before it are done.
    """
    from floe_iceberg.maintenance import maintain
    from pyiceberg.exceptions import NoSuchNamespaceError

    told: dict[str, dict[str, Any]] = {}
    keeping = Keeping(datetime.now(UTC) - timedelta(days=config.days), config.keep_snapshots)
    with contextlib.suppress(NoSuchNamespaceError):
        for one in maintain(catalog, (namespace,), keeping):
            figures = asdict(one)
            name = figures.pop("table")
            told[name] = {**figures, "seconds": round(one.seconds, 3)}
            if say is not None:
                say("%s: %s", name, ", ".join(f"{what} {count}" for what, count in told[name].items()))
    return told


def _said(product: Product) -> Maintenance:
    """What floe.yaml or the platform says of retention."""
    compiled = _retention(product)
    if compiled is None:
        return Maintenance()
    return Maintenance(days=compiled.days or 0, keep_snapshots=compiled.keep_snapshots)  # as `floe maintain` does


def _retention(product: Product) -> "RetentionRecord | None":
    return product.artifacts.retention if product.artifacts is not None else None

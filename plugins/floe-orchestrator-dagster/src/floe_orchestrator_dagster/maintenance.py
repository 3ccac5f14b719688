"""The job that keeps a product's Iceberg tables quick: small files become large ones, old snapshots expire."""

# No postponed annotations here: Dagster compares the annotation of `context` with its classes, and a string is none.
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dagster import Config, JobDefinition, OpExecutionContext, RunConfig, job, op
from floe_core.errors import FloeError
from floe_core.plugins.orchestrator import OrchestratorError
from pydantic import Field

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.tracing import Tracing

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from floe_orchestrator_dagster.resources.iceberg import IcebergResource

DEFAULT_DAYS: Final = 30
DEFAULT_SNAPSHOTS: Final = 3
TARGET_BYTES: Final = 128 * 1024 * 1024
"""The size of a data file that readers like best: few requests, and enough files to read side by side."""


class Maintenance(Config):
    """How tables are kept; a launch can say otherwise.

    Attributes:
        days: Days after which a snapshot may go.
        keep_snapshots: Snapshots that stay, whatever their age; tags stay too.
        target_bytes: What a compaction makes of small files.
    """

    days: int = Field(default=DEFAULT_DAYS, ge=0)
    keep_snapshots: int = Field(default=DEFAULT_SNAPSHOTS, ge=1)
    target_bytes: int = Field(default=TARGET_BYTES, ge=1024)


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


def maintained(
    catalog: Any, namespace: str, config: Maintenance, say: Callable[..., None] | None = None
) -> dict[str, dict[str, int]]:
    """Compact every table below a namespace, then expire its snapshots; gives the figures by table.

    A table that cannot be maintained keeps none of the others from it.

    Args:
        catalog: A PyIceberg catalog that is signed in.
        namespace: The product's.
        config: How tables are kept.
        say: Told of each table, as a logger's `info` is.

    Raises:
        OrchestratorError: Some could not be maintained; names them.
    """
    told: dict[str, dict[str, int]] = {}
    failed: dict[str, str] = {}
    for identifier in tables_below(catalog, (namespace,)):
        name = ".".join(identifier)
        try:
            told[name] = _one(catalog.load_table(identifier), config)
            if say is not None:
                say("%s: %s", name, ", ".join(f"{what} {count}" for what, count in told[name].items()))
        except FloeError as error:
            failed[name] = f"{error.what}: {error.why}"
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one table, the others are maintained
            failed[name] = type(error).__name__
    if failed:
        raise OrchestratorError(
            f"{len(failed)} of {len(failed) + len(told)} tables could not be maintained",
            where=", ".join(failed),
            why="; ".join(f"{name}: {why}" for name, why in failed.items()),
            remedy="launch the job again; what was done stays done",
        )
    return told


def tables_below(catalog: Any, namespace: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every table in `namespace` and the namespaces in it, sorted; none where it is not there."""
    from pyiceberg.exceptions import NoSuchNamespaceError

    try:
        yield from sorted(tuple(identifier) for identifier in catalog.list_tables(namespace))
        for below in sorted(catalog.list_namespaces(namespace)):
            yield from tables_below(catalog, tuple(below))
    except NoSuchNamespaceError:
        return


def _one(table: "Table", config: Maintenance) -> dict[str, int]:
    from floe_iceberg.compaction import compact
    from floe_iceberg.retention import expire, orphans

    compacted = compact(table, target_bytes=config.target_bytes)
    expired = expire(table, older_than=datetime.now(UTC) - timedelta(days=config.days), keep_last=config.keep_snapshots)
    lost = orphans(table)
    return {
        "files_before": compacted.files_before,
        "files_after": compacted.files_after,
        "snapshots_expired": expired.snapshots,
        "files_removed": expired.files + lost.files,
        "bytes_removed": expired.bytes + lost.bytes,
    }


def _said(product: Product) -> Maintenance:
    """What floe.yaml or the platform says of retention."""
    compiled = product.artifacts.retention if product.artifacts is not None else None
    if compiled is None:
        return Maintenance()
    return Maintenance(days=compiled.days or DEFAULT_DAYS, keep_snapshots=compiled.keep_snapshots)

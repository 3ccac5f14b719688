"""The tables of a product in the catalog are tended: what `floe maintain` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, UsageError
from floe_core.plugins import CatalogError, Keeping, Lane, TargetRequest
from floe_core.running.crew import KEEPERS, WATCHERS, aboard
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import Maintained
    from floe_core.registry import Registry
    from floe_core.running.crew import Crew


@dataclass(frozen=True)
class Chore:
    """What is asked for.

    Attributes:
        product: The product's folder, or its `floe.yaml`.
        manifest: The platform's manifest; the one that the product names where it is None.
        dry_run: Only look.
    """

    product: Path
    manifest: Path | None = None
    dry_run: bool = False


def maintain(chore: Chore, noted: Callable[[str], None], *, registry: Registry | None = None) -> Iterator[Maintained]:
    """Tend the product's tables; gives each as it is done.

    Snapshots older than the retention's days go, beyond the last ones that it keeps. No row is removed: the product's
    models say which rows there are.

    Raises:
        SpecError: The product cannot be compiled.
        UsageError: Nobody says how long data are kept, or the platform has no catalog.
        CatalogError: The catalog or the object store refused, or the plugin failed.
    """
    from floe_core.compilation import compile_product

    artifacts = compile_product(chore.product, chore.manifest, registry=registry)
    keeping = _keeping(artifacts, chore.product)
    name = artifacts.metadata.product_name
    with aboard(artifacts, registry, noted, KEEPERS, WATCHERS) as crew, span(f"floe maintain {name}"):
        yield from _tended(crew, TargetRequest(name, Lane.ICEBERG).namespace, keeping, dry_run=chore.dry_run)


def _tended(crew: Crew, namespace: str, keeping: Keeping, *, dry_run: bool) -> Iterator[Maintained]:
    catalog = crew.catalog
    if catalog is None:
        raise UsageError(
            "the platform has no tables to maintain",
            where="plugins.catalog",
            why="its manifest chooses no catalog",
            remedy="name a manifest that has one with --manifest",
        )
    fileio = crew.storage.fileio_properties() if crew.storage is not None else None
    try:
        yield from catalog.maintain(namespace, keeping, fileio, dry_run=dry_run)
    except FloeError:
        raise
    except Exception as error:  # a plugin is foreign code and can raise anything; its words may quote a secret
        raise CatalogError(
            "the product's tables are not all maintained",
            where=namespace,
            why=f"the plugin {catalog.name} raised {type(error).__name__}",
            remedy="run again: what was done stays done, and nothing is half done",
        ) from error


def _keeping(artifacts: CompiledArtifacts, product: Path) -> Keeping:
    kept = artifacts.retention
    if kept is None:
        raise UsageError(
            "nobody says how long the product's history is kept",
            where=str(product),
            why="neither the product's retention nor the platform's governance names days or snapshots",
            remedy="write retention: { days: 90, keepSnapshots: 3 } into floe.yaml",
        )
    return Keeping(datetime.now(UTC) - timedelta(days=kept.days or 0), kept.keep_snapshots)

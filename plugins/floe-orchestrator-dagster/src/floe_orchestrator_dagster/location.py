"""All products below a folder as one code location, for an image that serves them to a deployed Dagster."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING

from dagster import AssetKey, AssetSpec, Definitions
from floe_core.plugins import Lane
from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.spec.load import PRODUCT_FILE

from floe_orchestrator_dagster.loader import load_product_definitions
from floe_orchestrator_dagster.product import LANE_ENV

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "could_not_be_loaded"
"""The group, and the last part of the key, of what stands in for a product that cannot be loaded."""

_LOG = logging.getLogger(__name__)
_MANIFEST = "manifest.json"


def load_location(products: Path, *, state: Path, parsed: Path | None = None) -> Definitions:
    """The definitions of every product below `products`.

    One that cannot be loaded does not hide the others: an asset without a job says why, and so does the log.

    Args:
        products: Holds a folder for each product.
        state: Where each product's runs keep their files, below its name; the only folder that is written to.
        parsed: Manifests made beforehand, as `<product>/target/manifest.json`; what is there is not parsed again.

    Raises:
        OrchestratorError: There is no product.
    """
    folders = sorted(path.parent for path in products.glob(f"*/{PRODUCT_FILE}"))
    if not folders:
        raise OrchestratorError(
            "there is no product to serve",
            where=str(products),
            why=f"no folder in it has a {PRODUCT_FILE}",
            remedy="put each product into a folder of its own there",
        )
    return Definitions.merge(*(_load(folder, state / folder.name, parsed) for folder in folders))


def _load(folder: Path, state: Path, parsed: Path | None) -> Definitions:
    try:
        # What was parsed beforehand was parsed for the lane that needs no service.
        if parsed is not None and os.environ.get(LANE_ENV, Lane.DUCKDB) == Lane.DUCKDB:
            _take_over(parsed / folder.name / "target" / _MANIFEST, state / "target" / _MANIFEST)
        return load_product_definitions(folder, state=state)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one product, the others are served
        _LOG.error("the product %s could not be loaded: %s", folder.name, error)
        key = AssetKey([folder.name.replace("-", "_"), BROKEN])
        return Definitions(assets=[AssetSpec(key, group_name=BROKEN, description=str(error))])


def _take_over(made: Path, wanted: Path) -> None:
    """Copy the manifest that was made beforehand; its time is then, so that it counts as newer than its sources."""
    if made.is_file() and not wanted.exists():
        wanted.parent.mkdir(parents=True, exist_ok=True)
        half = wanted.with_suffix(".half")
        shutil.copyfile(made, half)
        half.replace(wanted)

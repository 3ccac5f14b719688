"""`floe run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from floe_core.cli.arguments import json_option, manifest_option, product_argument
from floe_core.cli.building import Options, carry_out, lane_option, select_option
from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from pathlib import Path


@click.command("run", epilog="Example: floe run demo/customer-360 --select stg_transactions")
@product_argument
@manifest_option
@lane_option
@select_option
@click.option("--full-refresh", is_flag=True, help="Build incremental models and seeds anew.")
@click.option("--retry", is_flag=True, help="Only what the last run left undone, and what depends on it.")
@json_option
@readable
def command(product: Path, manifest: Path | None, *, as_json: bool, **options: Unpack[Options]) -> None:
    """Compile PRODUCT and build its tables: packages, seeds, models.

    Everything is kept below the product's target/. One build of a product runs at a time.
    """
    carry_out("run", product, manifest, options, as_json=as_json)

"""`floe test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from floe_core.cli.arguments import json_option, manifest_option, product_argument
from floe_core.cli.building import Options, carry_out, lane_option, select_option
from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from pathlib import Path


@click.command("test", epilog="Example: floe test demo/customer-360 --json")
@product_argument
@manifest_option
@lane_option
@select_option
@json_option
@readable
def command(product: Path, manifest: Path | None, *, as_json: bool, **options: Unpack[Options]) -> None:
    """Test the tables of PRODUCT that `floe run` has built.

    A failed test ends with 4. Where the manifest chooses a quality plugin, its thresholds decide.
    """
    carry_out("test", product, manifest, options, as_json=as_json)

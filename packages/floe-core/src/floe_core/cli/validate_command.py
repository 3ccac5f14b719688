"""`floe validate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from floe_core.cli.arguments import json_option, manifest_option, product_argument, told
from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from pathlib import Path


@click.command("validate", epilog="Example: floe validate demo/customer-360 --json")
@product_argument
@manifest_option
@json_option
@readable
def command(product: Path, manifest: Path | None, *, as_json: bool) -> None:
    """Check PRODUCT (a folder or a floe.yaml) and say everything that is wrong; writes nothing."""
    from floe_core.compilation import validate_product

    summary = validate_product(product, manifest).summary
    if as_json:
        click.echo(json.dumps({"ok": True, "enforcement_result": summary.model_dump(mode="json")}, indent=2))
        return
    click.echo(f"✓ {product} is valid\n{told(summary)}")

"""`floe compile`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from floe_core.cli.arguments import PATH, json_option, manifest_option, product_argument, told
from floe_core.cli.failing import readable

ARTIFACTS = Path("target", "compiled_artifacts.json")


@click.command("compile", epilog="Example: floe compile demo/customer-360 --output -")
@product_argument
@manifest_option
@click.option("--output", type=PATH, help=f"Where to write; {ARTIFACTS} in the product's folder, or - for here.")
@json_option
@readable
def command(product: Path, manifest: Path | None, output: Path | None, *, as_json: bool) -> None:
    """Check PRODUCT (a folder or a floe.yaml) and write its artifacts; equal input gives equal bytes."""
    from floe_core.compilation import compile_product

    if output == Path("-"):
        click.echo(compile_product(product, manifest).to_json(), nl=False)
        return
    place = output or (product if product.is_dir() else product.parent) / ARTIFACTS
    artifacts = compile_product(product, manifest, output=place)
    verdict = artifacts.enforcement_result
    if as_json:
        summary = {"ok": True, "output": str(place), "enforcement_result": verdict.model_dump(mode="json")}
        click.echo(json.dumps(summary, indent=2))
        return
    name, models = artifacts.metadata.product_name, len(artifacts.models)
    click.echo(f"✓ {name}: {models} models, {len(artifacts.plugins)} plugins → {place}\n{told(verdict)}")

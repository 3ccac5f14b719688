"""`floe init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from floe_core.cli.arguments import PATH
from floe_core.cli.failing import readable


@click.command("init", epilog="Example: floe init order-insights --manifest platform/manifest.yaml")
@click.argument("name")
@click.option("--dir", "folder", type=PATH, default=Path(), help="Make it in this folder; the current one by default.")
@click.option("--manifest", type=PATH, help="The platform's manifest; without it the product gets one of its own.")
@readable
def command(name: str, folder: Path, manifest: Path | None) -> None:
    """Make a product called NAME that compiles, runs and passes its tests at once, without any service.

    Nothing is overwritten, and a product that could not be made whole is not made at all.
    """
    from floe_core.scaffold import create

    made = create(name, folder, manifest)
    click.echo(f"✓ {made} is ready; next: floe run {shlex.quote(str(made))}")

"""`floe maintain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from floe_core.cli.arguments import json_option, manifest_option, product_argument
from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.plugins import Maintained

MIB = 1024 * 1024


@click.command("maintain", epilog="Example: floe maintain demo/customer-360 --lane iceberg --dry-run")
@product_argument
@manifest_option
@click.option(
    "--lane",
    type=click.Choice(["iceberg"]),
    default="iceberg",
    show_default=True,
    help="Where the tables lie; an engine's own file needs no care.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@readable
def command(product: Path, manifest: Path | None, *, lane: str, dry_run: bool, as_json: bool) -> None:  # noqa: ARG001 - one lane has tables to maintain
    """Merge the small files of PRODUCT's tables, forget old snapshots, remove what nothing needs.

    What stays is the product's retention, else the platform's: snapshots of its days, at least its keepSnapshots, and
    whatever a tag names. Rows stay as they are. It may run while others read and write.
    """
    from floe_core.cli.logs import of_environment
    from floe_core.running.maintaining import Chore, maintain

    of_environment()
    done = []
    for one in maintain(Chore(product, manifest, dry_run), lambda note: click.echo(f"! {note}", err=True)):
        done.append(one)
        if not as_json:
            click.echo(_line(one, dry_run=dry_run))
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "tables": [asdict(one) for one in done]}, indent=2))
    elif not done:
        click.echo("the product has no tables in the catalog")


def _line(one: Maintained, *, dry_run: bool) -> str:
    merged = f"{one.files_before} files" if one.files_before == one.files_after else _merged(one, dry_run=dry_run)
    removed = one.files + one.lost_files
    parts = [
        f"  {'·' if dry_run else '✓'} {one.table:<44} {merged:>20}",
        f"{one.deletes} deletes applied",
        f"{one.snapshots} snapshots gone",
        f"{removed} files removed ({one.lost_files} lost, {one.bytes / MIB:.1f} MiB)",
        f"{one.seconds:.2f} s",
    ]
    return ", ".join(parts)


def _merged(one: Maintained, *, dry_run: bool) -> str:
    if dry_run:
        return f"{one.files_before - one.files_after} of {one.files_before} files"
    return f"{one.files_before} → {one.files_after} files"

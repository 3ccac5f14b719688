"""`floe plugins`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from floe_core.cli.arguments import PATH, json_option
from floe_core.cli.failing import readable
from floe_core.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem


def _types(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The plugin types that begin like what is typed."""
    from click.shell_completion import CompletionItem

    from floe_core.plugins import PluginType

    return [CompletionItem(kind.value) for kind in PluginType if kind.value.startswith(incomplete)]


@click.command("plugins", epilog="Example: floe plugins --health --manifest demo/manifest.yaml")
@click.argument("kind", metavar="[TYPE]", required=False, shell_complete=_types)
@click.option("--health", is_flag=True, help="Ask the services behind the plugins that the manifest chooses.")
@click.option("--manifest", type=PATH, help="Whose plugins are asked; needed with --health.")
@click.option("--timeout", default=5.0, show_default=True, help="Seconds that each service has to answer.")
@json_option
@readable
def command(kind: str | None, *, health: bool, manifest: Path | None, timeout: float, as_json: bool) -> None:
    """List the installed plugins by type, and whether each can be used; one TYPE only when it is given.

    With --health the command ends with 4 when a service is not well.
    """
    from floe_core.cli import listing

    if health:
        rows = listing.health(listing.needed(manifest), listing.limit(timeout), kind)
        well = all(row["ok"] for row in rows)
    else:
        rows, well = listing.installed(kind), True
    _show(rows, as_json=as_json)
    if not well:
        raise click.exceptions.Exit(int(ExitCode.WRONG))


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from floe_core.cli.listing import table

    for line, good in table(rows):
        click.echo(click.style(line, fg=None if good else "red"))

"""`floe plugins`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from floe_core.cli.arguments import json_option
from floe_core.cli.failing import readable


@click.command("plugins")
@json_option
@readable
def command(*, as_json: bool) -> None:
    """List the installed plugins by type; imports none of them."""
    from floe_core.plugins import PluginType
    from floe_core.registry import Registry

    registry = Registry()
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in registry.entries()], indent=2))
        return
    for kind in PluginType:
        entries = registry.entries(kind)
        names = ", ".join(f"{one.name} ({one.distribution} {one.version})" for one in entries)
        click.echo(f"{kind.value:<18} {names or '-'}")

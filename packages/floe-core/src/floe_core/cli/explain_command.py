"""`floe explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from floe_core.cli.arguments import json_option
from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from floe_core.spec.catalogue import Entry


def _codes(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The codes that begin like what is typed, each with its title."""
    from click.shell_completion import CompletionItem

    from floe_core.spec.catalogue import catalogue

    return [CompletionItem(one.code, help=one.title) for one in catalogue() if one.code.startswith(incomplete.upper())]


@click.command("explain", epilog="Example: floe explain FLOE-E203")
@click.argument("code", required=False, shell_complete=_codes)
@json_option
@readable
def command(code: str | None, *, as_json: bool) -> None:
    """Say what the error CODE means, why it comes and what to do; all codes without one."""
    from floe_core.spec.catalogue import catalogue, find

    found = catalogue() if code is None else (find(code),)
    if as_json:
        entries = [asdict(entry) for entry in found]
        click.echo(json.dumps(entries if code is None else entries[0], indent=2, ensure_ascii=False))
    elif code is None:
        click.echo("\n".join(f"{entry.code}  {entry.title}" for entry in found))
    else:
        click.echo(page(found[0]))


def page(entry: Entry) -> str:
    """One entry for people."""
    example = "\n".join(f"    {line}" for line in entry.example.splitlines())
    said = [f"{entry.code}  {entry.title}"]
    for title, text in (("Cause", entry.cause), ("Cure", entry.cure)):
        said.append(f"{title}\n{click.wrap_text(text, 100, '  ', '  ')}")
    return "\n\n".join([*said, f"Example\n{example}"])

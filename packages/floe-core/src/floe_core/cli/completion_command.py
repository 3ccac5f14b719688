"""`floe completion`."""

from __future__ import annotations

from typing import Final

import click

from floe_core.cli.failing import readable

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_FLOE_COMPLETE"
_WHERE: Final = {
    "bash": 'eval "$(floe completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(floe completion zsh)"   # in ~/.zshrc',
    "fish": "floe completion fish > ~/.config/fish/completions/floe.fish",
}


@click.command("completion", epilog="\b\n" + "\n".join(f"Example: {line}" for line in _WHERE.values()))
@click.argument("shell", type=click.Choice(SHELLS))
@readable
def command(shell: str) -> None:
    """Print the lines that make SHELL complete commands, options, products, plugin types and error codes."""
    from click.shell_completion import get_completion_class

    from floe_core.cli.main import main

    kind = get_completion_class(shell)
    if kind is None:  # click knows all of SHELLS
        raise click.BadParameter(f"click does not know {shell}")
    click.echo(kind(main, {}, "floe", VARIABLE).source())

"""The root of `floe`: knows the commands by name and imports one when it is called.

Exit codes: 0 done, 1 an unexpected error, 2 usage, 3 credentials refused, 4 there but wrong, 5 something that is
needed is missing, 6 not ready in time.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

COMMANDS: Final[dict[str, str]] = {
    "compile": "Check a product and write its artifacts.",
    "plugins": "List the installed plugins.",
    "schema": "Print a JSON Schema, for editors.",
    "validate": "Check a product and say everything that is wrong.",
}
"""Command and help line; the module `floe_core.cli.<command>_command` holds the command as `command`."""


class LazyGroup(click.Group):
    """A group that imports a command only to run it, so that `floe --help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"floe_core.cli.{cmd_name}_command").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from their help lines, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own; an unknown word is answered with the nearest command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the commands are: {', '.join(sorted(COMMANDS))}"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="floe-core", prog_name="floe")
def main() -> None:
    """Data products: check them and compile them.

    A product is a folder with a floe.yaml; the platform's manifest is the one that the product names, or --manifest.
    """

"""The root of `floe`: knows the commands by name and imports one when it is called."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Final[dict[str, str]] = {
    "init": "Make a product that runs at once.",
    "validate": "Check a product and say everything that is wrong.",
    "compile": "Check a product and write its artifacts.",
    "run": "Build a product's tables.",
    "test": "Test a product's tables.",
    "maintain": "Merge small files, expire snapshots, remove waste.",
    "plugins": "List the installed plugins, and how their services do.",
    "schema": "Print a JSON Schema, for editors.",
    "explain": "Say what an error code means and what to do.",
    "completion": "Print what makes a shell complete floe's words.",
}
"""Command and help line, in the order in which a product meets them."""

_MODULES: Final = {"test": "testing_command"}
"""Where the module is not called `<command>_command`: pytest would take test_command.py for a test. Each holds the
command as `command`."""

EXIT_CODES: Final[dict[int, str]] = {
    0: "done",
    1: "an error that floe did not foresee",
    2: "usage: a wrong word, or a file that is not there",
    3: "credentials were refused",
    4: "there, but wrong: a file, a policy, a model, a test",
    5: "something that is needed is missing: a plugin, a tool, a secret",
    6: "not ready in time, or in use",
    130: "stopped by Ctrl-C",
    143: "stopped by SIGTERM",
}
_EPILOG: Final = "\n".join(
    [
        "\b",
        "Exit codes:",
        *(f"  {code:<4}{meaning}" for code, meaning in EXIT_CODES.items()),
        "",
        "\b",
        "Example:",
        "  floe init order-insights && floe run order-insights && floe test order-insights",
        "",
        "Environment: FLOE_LOG_LEVEL (debug, info, warning, error), NO_COLOR.",
    ]
)
_DEBUG_HELP: Final = "Show the trace of an error that floe did not foresee."


class LazyGroup(click.Group):
    """A group that imports a command only to run it, so that `floe --help` stays fast."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Click's own, with streams that take every character: a path may hold bytes that no encoding knows.

        pydantic would look for plugins of its own in the metadata of everything that is installed: 40 ms a process,
        and one distribution with a broken line would end every command. Who uses such plugins sets the variable.
        """
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which a product meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module = _MODULES.get(cmd_name, f"{cmd_name}_command")
        command: click.Command = import_module(f"floe_core.cli.{module}").command
        if not any(one.name == "debug" for one in command.params):
            command.params.append(_debug_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from their help lines, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin like what is typed, each with its line, without importing any."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own; an unknown word is answered with the nearest command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the commands are: {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


def _debug_option() -> click.Option:
    """`--debug`, which every command takes too, because that is where people write it."""

    def keep(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value:
            context.meta["floe.debug"] = True

    return click.Option(["--debug"], is_flag=True, expose_value=False, callback=keep, help=_DEBUG_HELP)


@click.group(
    cls=LazyGroup,
    epilog=_EPILOG,
    params=[_debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="floe-core", prog_name="floe")
def main() -> None:
    """Data products: make, check, compile, build and test them.

    A product is a folder with a floe.yaml; the platform's manifest is the one that the product names, or --manifest.
    """

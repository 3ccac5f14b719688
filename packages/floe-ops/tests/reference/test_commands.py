"""The page of the command line."""

from __future__ import annotations

import click
from floe_core.cli import main
from floe_ops.reference import commands


def test_every_command_and_option_is_there() -> None:
    page = commands.page()
    root = click.Context(main, info_name="floe")
    for name in main.list_commands(root):
        section = page.partition(f"## `floe {name}`\n")[2].partition("\n## ")[0]
        command = main.get_command(root, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert any(word in section for word in parameter.opts), f"floe {name} {parameter.opts}"

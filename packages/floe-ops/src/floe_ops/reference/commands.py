"""Reference of the command line, from its own help."""

from __future__ import annotations

from pathlib import Path


def page() -> str:
    """The page of `floe`: the help of the root and of each command, as a terminal of 100 columns shows it."""
    import click
    from floe_core.cli import main

    root = click.Context(main, info_name="floe", terminal_width=100, max_content_width=100)
    lines = [
        "# `floe`",
        "",
        "Generated from the command line's own help (`invoke final.docs --write`).",
        "",
        *_block(main.get_help(root)),
    ]
    for name in main.list_commands(root):
        command = main.get_command(root, name)
        if command is None:
            continue
        context = click.Context(command, info_name=name, parent=root, terminal_width=100, max_content_width=100)
        lines += ["", f"## `floe {name}`", "", *_block(command.get_help(context))]
    return "\n".join(lines) + "\n"


def _block(text: str) -> list[str]:
    # A help text names the home folder where a default lies in it; pages are the same on every machine.
    return ["```text", *(line.rstrip() for line in text.replace(str(Path.home()), "~").splitlines()), "```"]

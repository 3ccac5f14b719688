"""`floe schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from floe_core.cli.arguments import PATH
from floe_core.cli.failing import readable
from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("product", "manifest", "artifacts")


@click.command("schema", epilog="Example: floe schema product")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--write", "folder", type=PATH, help="Write the schemas into this folder, as <kind>.schema.json.")
@click.option("--check", "held", type=PATH, help="Fail when the schemas in this folder are not those of the code.")
@readable
def command(kind: str | None, folder: Path | None, held: Path | None) -> None:
    """Print the JSON Schema of a floe.yaml (product), a manifest.yaml (manifest) or the compiled artifacts.

    With --write or --check and no KIND, all of them. Editors take a file's schema from its first line,
    `# yaml-language-server: $schema=PATH`.
    """
    from floe_core import schemas

    kinds = (kind,) if kind else KINDS
    if folder is not None:
        for one in kinds:
            _written(folder / f"{one}.schema.json", schemas.text(one))
    elif held is not None:
        for one in kinds:
            _checked(held / f"{one}.schema.json", schemas.text(one))
    elif kind is None:
        raise click.UsageError(f"name one of {', '.join(KINDS)}, or give --write or --check")
    else:
        click.echo(schemas.text(kind), nl=False)


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one of `KINDS`, with the names as they are written in files."""
    from floe_core import schemas

    return schemas.made(kind)


def _written(path: Path, text: str) -> None:
    from floe_core.compilation.write import write_atomic

    write_atomic(path, text)
    click.echo(f"✓ {path}")


def _checked(path: Path, text: str) -> None:
    try:
        held = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise _stale(path, why.lower()) from None
    if held != text:
        raise _stale(path, "it is not what the code makes")
    click.echo(f"✓ {path} is up to date")


def _stale(path: Path, why: str) -> WrongStateError:
    return WrongStateError(
        "a checked-in schema is not up to date",
        where=str(path),
        why=why,
        remedy=f"floe schema --write {path.parent}",
    )

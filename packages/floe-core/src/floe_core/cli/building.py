"""What `floe run` and `floe test` have in common: options, progress, and how the outcome is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

import click

from floe_core.cli.failing import as_dict, tell

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.running import Outcome

lane_option = click.option(
    "--lane",
    type=click.Choice(["duckdb", "iceberg"]),
    default="duckdb",
    show_default=True,
    help="Where the tables lie: in the engine's own file, or in the platform's catalog.",
)
select_option = click.option(
    "--select", multiple=True, metavar="MODEL", help="Only this model; can be repeated. Takes dbt's selection too."
)


class Options(TypedDict, total=False):
    """What the two commands take besides product and manifest."""

    lane: str
    select: tuple[str, ...]
    full_refresh: bool
    retry: bool


def carry_out(work: str, product: Path, manifest: Path | None, options: Options, *, as_json: bool) -> None:
    """Run or test a product, show it, and end with the outcome's exit code.

    Raises:
        FloeError: It could not begin.
        click.exceptions.Exit: It failed.
    """
    from floe_core.cli.logs import of_environment
    from floe_core.cli.progress import shown
    from floe_core.plugins import Lane
    from floe_core.running import Order, Work
    from floe_core.running import carry_out as do

    log = of_environment()
    words = tuple(word for one in options["select"] for word in one.split())
    lane, fresh = Lane(options["lane"]), options.get("full_refresh", False)
    order = Order(Work(work), product, manifest, lane, words, fresh, retry=options.get("retry", False))
    with shown(log, as_json=as_json) as listener:
        outcome = do(order, listener=listener)
    _told(outcome, as_json=as_json)


def _told(outcome: Outcome, *, as_json: bool) -> None:
    from floe_core.cli.progress import closing, other_failures

    failure = outcome.failure
    if as_json:
        said = {**outcome.as_dict(), **({} if failure is None else as_dict(failure))}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        click.echo(closing(outcome))
        if failure is not None:
            tell(failure, as_json=False)
            if others := other_failures(outcome):
                click.echo(others, err=True)
    if failure is not None:
        raise click.exceptions.Exit(int(failure.exit_code))

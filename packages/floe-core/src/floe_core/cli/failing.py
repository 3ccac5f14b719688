"""How a command fails: what, where, why and the next step on standard error, or as JSON; never a stack trace.

An error of floe itself is told with its place and how to report it; `--debug` shows its trace.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from floe_core.cli.stopping import Stopped, stoppable
from floe_core.errors import ExitCode, FloeError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")
DEBUG = "floe.debug"
"""Key of click's `meta` under which `--debug` is kept."""


def readable(body: Callable[P, R]) -> Callable[P, R]:
    """Turn what ends a command into words and its exit code; `as_json` of the command decides the form."""

    @functools.wraps(body)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        try:
            with stoppable():
                return body(*args, **kwargs)
        except FloeError as error:
            tell(error, as_json=as_json)
            raise click.exceptions.Exit(int(error.exit_code)) from None
        except Stopped as stop:
            words = f"{stop}; nothing is left running, and the next run starts where this one ended"
            click.echo(f"✗ {words}", err=True)
            raise click.exceptions.Exit(stop.exit_code) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if debugging():
                raise
            tell(_unexpected(error), as_json=as_json)
            raise click.exceptions.Exit(int(ExitCode.FAILED)) from None

    return guarded


def tell(error: FloeError, *, as_json: bool) -> None:
    """Print a failure, for programs to standard output and for people to standard error."""
    if as_json:
        click.echo(json.dumps(as_dict(error), indent=2, ensure_ascii=False))
    else:
        click.echo(f"✗ {error}", err=True)


def as_dict(error: FloeError) -> dict[str, Any]:
    """A failure as plain JSON values; `problems` is empty for one that has a single place."""
    problems = [problem.as_dict() for problem in getattr(error, "problems", ())]
    return {
        "ok": False,
        "what": error.what,
        "where": error.where,
        "why": error.why,
        "remedy": error.remedy,
        "exit_code": int(error.exit_code),
        "problems": problems,
    }


def debugging() -> bool:
    """Whether traces are asked for, by `--debug` or by FLOE_LOG_LEVEL."""
    from floe_core.cli.logs import environment_level

    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(DEBUG)) or environment_level() == "debug"


def _unexpected(error: Exception) -> FloeError:
    """An error that floe did not foresee; its words may quote a secret, so only its kind and place are told."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    return FloeError(
        f"floe met an error that it did not foresee: {type(error).__name__}",
        where=place,
        why="this is a mistake in floe or in a plugin, not in your files",
        remedy="run it again with --debug, and report what it prints together with `floe --version`",
    )

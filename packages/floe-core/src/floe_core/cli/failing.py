"""How a command fails: what, where, why and the next step on standard error, or as JSON; never a stack trace."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from floe_core.errors import FloeError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def readable(body: Callable[P, R]) -> Callable[P, R]:
    """Turn a `FloeError` of a command into words and its exit code; `as_json` of the command decides the form."""

    @functools.wraps(body)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return body(*args, **kwargs)
        except FloeError as error:
            if kwargs.get("as_json"):
                click.echo(json.dumps(as_dict(error), indent=2, ensure_ascii=False))
            else:
                click.echo(f"✗ {error}", err=True)
            raise click.exceptions.Exit(int(error.exit_code)) from None

    return guarded


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

"""The `@task` of this project: Invoke's own, with a span, a readable failure and an exit code.

A task function stays thin: it parses its words, calls a capability of `floe_ops` and prints the result. Whatever
it raises as a `FloeError` is printed without a stack trace, ends the program with the error's exit code and, inside
of a Nox run, is left in the run's folder for the verdict.
"""

from __future__ import annotations

import functools
import json
import os
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from floe_core.errors import FloeError
from invoke.exceptions import Exit
from invoke.tasks import task as invoke_task

from floe_ops import plan, project, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoke.context import Context

P = ParamSpec("P")
R = TypeVar("R")


def task(
    *,
    name: str | None = None,
    help: dict[str, str] | None = None,  # noqa: A002 - the word that Invoke uses
    **options: Any,
) -> Callable[[Callable[Concatenate[Context, P], R]], Any]:
    """Make a function an Invoke task that fails like the rest of the project.

    Args:
        name: The task's name where it differs from the function's.
        help: Help text by parameter name, as Invoke takes it.
        options: Anything else that `invoke.task` takes.
    """

    def decorate(body: Callable[Concatenate[Context, P], R]) -> Any:
        label = name or body.__name__.replace("_", "-")

        @functools.wraps(body)
        def guarded(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            from floe_core.telemetry import span

            from floe_ops.tracing import started

            try:
                with started(), span(f"task {label}", **{"floe.task": label}):
                    return body(context, *args, **kwargs)
            except FloeError as error:
                _leave_failure(label, error)
                raise Exit(message=f"✗ {error}", code=int(error.exit_code)) from error

        return invoke_task(guarded, name=label, help=help or {}, **options)

    return decorate


def _leave_failure(label: str, error: FloeError) -> None:
    folder = project.run_dir()
    if folder is None:
        return
    path = folder / f"{plan.slug(os.environ.get('FLOE_SESSION', 'desk'))}.failure.json"
    path.write_text(
        json.dumps({"task": label, **shown.failure_json(error)}),
        encoding="utf-8",
    )

"""The root task `plan`: what there is to prove, what is proved, and why something would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    name="plan",
    help={"json": "print JSON for programs", "picture": "write the graph as an SVG file to this path"},
)
def show(_context: Context, json: bool = False, picture: str = "") -> None:
    """Print the plan: sessions by phase, whether each is proved on the files as they are, and why.

    Example: invoke plan --json | jq '.sessions[] | select(.state == "run")'
    """
    from floe_ops import plan_view

    view = plan_view.current()
    if picture:
        plan_view.draw(view, picture)
    elif json:
        plan_view.dump(view)
    else:
        plan_view.show(view)


AT_ROOT = (show,)

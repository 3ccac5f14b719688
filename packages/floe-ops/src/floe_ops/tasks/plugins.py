"""Invoke tasks of the namespace `plugins`."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING

from floe_ops import console, evidence, project
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context


@task(name="list", help={"json": "Print JSON instead of a table."})
def list_(context: Context, *, json: bool = False) -> None:
    """List the installed plugins by type; imports none of them."""
    del context
    from dataclasses import asdict

    from floe_core.plugins import PluginType
    from floe_core.registry import Registry

    registry = Registry()
    if json:
        console.say(json_text.dumps([asdict(entry) for entry in registry.entries()], indent=2))
        return
    for kind in PluginType:
        names = ", ".join(f"{one.name} {one.version}" for one in registry.entries(kind))
        console.say(f"{kind.value:<18} {names or '-'}")


@task()
def check(context: Context) -> None:
    """Hold every plugin type, every installed plugin and every demo product to its promises."""
    del context
    from floe_core.errors import WrongStateError

    from floe_ops import plugin_check

    broken = []
    for fact in plugin_check.check(project.root()):
        console.say(f"{'✗' if fact.error else '✓'} {fact.evidence}")
        if fact.error is not None:
            broken.append(fact.error)
        if fact.criterion:
            evidence.record(fact.criterion, "failed" if fact.error else "passed", fact.evidence)
    if len(broken) == 1:
        raise broken[0]
    if broken:
        raise WrongStateError(
            f"{len(broken)} promises of the plugins are broken",
            where="invoke plugins.check",
            why="\n".join(str(error) for error in broken),
            remedy="repair the first and run it again",
        )


@task()
def counterparts(context: Context) -> None:
    """Make the real programs that plugins are proved against; minutes the first time, at once from then on."""
    del context
    from floe_ops import counterparts

    for name, purpose, _place in counterparts.ensure():
        console.say(f"✓ {name}: {purpose}")

"""The Invoke tasks, one module a namespace; thin: they parse, call a capability and print."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from invoke.collection import Collection

from floe_ops import orphans

NAMESPACES = (
    *("plan", "platform", "polaris", "images", "helm", "cube", "dagster", "otel", "dbt", "plugins", "security"),
    "final",
)

if "FLOE_PARENT_PID" in os.environ:  # started by a Nox session; not meant for this process's own children
    orphans.end_with(int(os.environ.pop("FLOE_PARENT_PID")))
    orphans.exit_on_sigterm()


def namespace() -> Any:
    """The root collection: every namespace, and what a module names in AT_ROOT (`plan`, `polaris-wait`)."""
    root = Collection()
    for name in NAMESPACES:
        module = import_module(f"floe_ops.tasks.{name}")
        for task in getattr(module, "AT_ROOT", ()):
            root.add_task(task)
        collection = Collection.from_module(module, name=name)
        if name not in root.task_names:
            root.add_collection(collection)
    return root

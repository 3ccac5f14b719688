"""The Invoke tasks, one module a namespace; thin: they parse, call a capability and print."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from invoke import Collection

NAMESPACES = ("platform", "polaris", "cube", "dagster", "otel", "dbt", "plugins", "security", "final")


def namespace() -> Any:
    """The root collection: every namespace, and `polaris-wait` at the root."""
    root = Collection()
    for name in NAMESPACES:
        module = import_module(f"floe_ops.tasks.{name}")
        root.add_collection(Collection.from_module(module, name=name))
        for task in getattr(module, "AT_ROOT", ()):
            root.add_task(task)
    return root

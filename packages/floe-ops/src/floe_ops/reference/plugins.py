"""Reference of the plugin types and of the plugins that are installed, from their classes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from floe_ops.reference.markdown import code, table
from floe_ops.reference.schemas import model_rows

if TYPE_CHECKING:
    from floe_core.plugins import PluginMetadata, PluginType
    from floe_core.registry import Registry


def page() -> str:
    """The page of the plugin types: for each its ABC, what to implement, its suite, and what is installed."""
    from floe_core.plugins import ABCS
    from floe_core.registry import Registry

    registry = Registry()
    lines = [
        "# Plugins",
        "",
        "Generated from the classes (`invoke final.docs --write`). A platform chooses one plugin of each type that it",
        "needs under `plugins:` in its manifest; `floe plugins` lists what is installed.",
        "[How to write one](../how-to/plugin.md).",
    ]
    for kind, abc in ABCS.items():
        lines += ["", *_type(kind, abc), *_installed(registry, kind)]
    return "\n".join(lines) + "\n"


def _type(kind: PluginType, abc: type[PluginMetadata[Any]]) -> list[str]:
    module = inspect.getmodule(abc)
    about = inspect.getdoc(module) or ""
    methods = sorted(getattr(abc, "__abstractmethods__", ()))
    suite = f"floe_core.testing.{abc.__name__.removesuffix('Plugin')}Conformance"
    facts = {"ABC": f"{abc.__module__}.{abc.__name__}", "entry points": kind.entry_point_group, "suite": suite}
    rows = [(code(_signature(abc, name)), _about(abc, name)) for name in methods]
    return [
        f"## {kind.value}",
        "",
        about.partition("\n")[0],
        "",
        "; ".join(f"{what} {code(name)}" for what, name in facts.items()) + ".",
        "",
        *table(["implement", "which"], rows),
    ]


def _signature(abc: type, name: str) -> str:
    method = inspect.getattr_static(abc, name)
    method = method.fget if isinstance(method, property) else method
    if not callable(method):
        return name
    told = str(inspect.signature(method)).replace("self, ", "").replace("self", "").replace("'", "")
    return f"{name}{told}"


def _about(abc: type, name: str) -> str:
    return (inspect.getdoc(getattr(abc, name)) or "").partition("\n\n")[0]


def _installed(registry: Registry, kind: PluginType) -> list[str]:
    lines: list[str] = []
    for entry in registry.entries(kind):
        plugin = registry.load(kind, entry.name)
        lines += [
            "",
            f"### {code(entry.name)}",
            "",
            f"{plugin.description.rstrip('.')}. Distribution {code(entry.distribution)}.",
        ]
        rows = table(["setting", "type", "default", "what"], model_rows(plugin.config_model.model_json_schema()))
        lines += ["", *rows] if rows else ["", "It has no settings."]
    return lines

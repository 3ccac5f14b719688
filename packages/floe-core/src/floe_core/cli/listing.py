"""What `floe plugins` shows: what is installed and can be used, and how the services behind it do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_core.errors import UsageError
from floe_core.plugins import PluginType
from floe_core.registry import Registry, RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_core.registry import PluginEntry

MAX_TIMEOUT_S = 300.0


def installed(kind: str | None = None, registry: Registry | None = None) -> list[dict[str, Any]]:
    """One row a plugin, by type: what it is, where it comes from, and why it cannot be used where it cannot.

    Every plugin is imported, as choosing it would.

    Raises:
        UsageError: There is no such type.
    """
    known = registry if registry is not None else Registry()
    rows = [_row(known, entry) for entry in known.entries(_type(kind) if kind is not None else None)]
    if kind is None:
        rows += [
            {"type": "", "name": "", "distribution": one.name, "version": "", "description": "", "state": "unreadable"}
            | {"ok": False, "why": f"{one.where}: {one.why}"}
            for one in known.unreadable
        ]
    return rows


def _row(registry: Registry, entry: PluginEntry) -> dict[str, Any]:
    row = {
        "type": entry.type.value,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "description": "",
        "state": "ok",
        "ok": True,
        "why": "",
    }
    try:
        return {**row, "description": registry.load(entry.type, entry.name).description}
    except RegistryError as error:
        state = type(error).__name__.removesuffix("Error").removesuffix("Plugin").removesuffix("Declaration").lower()
        return {**row, "state": state, "ok": False, "why": error.why or error.what}


def _type(kind: str) -> PluginType:
    """The type of that name.

    Raises:
        UsageError: There is none.
    """
    from floe_core.spec.problems import nearest

    types = [one.value for one in PluginType]
    if kind in types:
        return PluginType(kind)
    near = nearest(kind, types)
    raise UsageError(
        f"there is no plugin type {kind[:40]!r}",
        why=f"the types are: {', '.join(types)}",
        remedy=f"write {near}" if near else "write one of them",
    )


def needed(manifest: Path | None) -> Path:
    """The manifest that the health of plugins is asked for.

    Raises:
        UsageError: None was given.
    """
    if manifest is None:
        raise UsageError(
            "a manifest is needed",
            where="--health",
            why="it says which plugins are used, and where their services are",
            remedy="add --manifest PATH",
        )
    return manifest


def limit(timeout_s: float) -> float:
    """The seconds that each service has.

    Raises:
        UsageError: They are none.
    """
    if 0 < timeout_s <= MAX_TIMEOUT_S:  # a comparison that also refuses what is no number
        return timeout_s
    raise UsageError(
        "the limit is no number of seconds",
        where="--timeout",
        why=f"it is {timeout_s:g}",
        remedy=f"give more than 0 and at most {MAX_TIMEOUT_S:g}",
    )


def health(
    manifest: Path, timeout_s: float, kind: str | None = None, registry: Registry | None = None
) -> list[dict[str, Any]]:
    """One row a chosen plugin with the answer of its service; all are asked at once, or that of one type alone.

    Raises:
        UsageError: There is no such type, or the manifest chooses no plugin of it.
        SpecError: The manifest is wrong.
        RegistryError: A chosen plugin cannot be had.
    """
    from floe_core.registry.lifecycle import Lifecycle
    from floe_core.spec.load import load_manifest

    known = registry if registry is not None else Registry()
    only = _type(kind) if kind is not None else None
    chosen = load_manifest(manifest).model.plugins.chosen()
    if only is not None and only.value not in chosen:
        raise UsageError(f"{manifest} chooses no {only.value}", why=f"it chooses: {', '.join(chosen)}")
    store = chosen.get(PluginType.SECRETS.value)
    secrets = known.create(PluginType.SECRETS, store.type, store.config).instance if store else None
    find = getattr(secrets, "get", None)
    plugins = [
        known.create(PluginType(name), selection.type, selection.config, secrets=find)
        for name, selection in chosen.items()
        if only in {None, name}
    ]
    rows = []
    for outcome in sorted(Lifecycle(plugins).health(timeout_s).outcomes, key=lambda one: one.entry):
        status, entry = outcome.health, outcome.entry
        rows.append(
            {
                "type": entry.type.value,
                "name": entry.name,
                "distribution": entry.distribution,
                "version": entry.version,
                "description": "",
                "state": status.state.value if status is not None else outcome.answer.value.replace("_", " "),
                "ok": outcome.ok,
                "why": outcome.why or (status.message if status is not None else ""),
                "seconds": round(outcome.took_s, 3),
                "details": status.details if status is not None else {},
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """The rows as lines, each with whether it is good; the columns are as wide as they need to be."""
    cells = [
        (
            row["type"] or "?",
            row["name"] or "?",
            f"{row['distribution']} {row['version']}".strip(),
            row["state"],
            row["why"] or row["description"],
        )
        for row in rows
    ]
    widths = [max((len(cell[column]) for cell in cells), default=0) for column in range(4)]
    for cell, row in zip(cells, rows, strict=True):
        fixed = "  ".join(text.ljust(width) for text, width in zip(cell[:4], widths, strict=True))
        yield f"{fixed}  {cell[4]}".rstrip(), row["ok"]

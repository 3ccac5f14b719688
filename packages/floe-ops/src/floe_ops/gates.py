"""The static gates over the whole tree, each by a tool that is pinned; all run, then the failures are named."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_ops import console, toolchain
from floe_ops.audits import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

SHEBANG_SCRIPTS = ("noxw", ".ci/run")
DEADLINE_S = 600.0


@dataclass(frozen=True)
class Command:
    """One call of a tool.

    Attributes:
        words: The program's name and its arguments.
        mypy_path: Where mypy finds modules besides the sources.
        built: Whether the program is built by our toolchain; otherwise it is in our environment.
    """

    words: tuple[str, ...]
    mypy_path: str = ""
    built: bool = False

    @property
    def program(self) -> Path:
        """The program's file; builds it if need be.

        Raises:
            MissingToolError: It cannot be built.
        """
        return toolchain.ensure(self.words[0]) if self.built else in_environment(self.words[0])


def commands(root: Path) -> dict[str, list[Command]]:
    """Every gate by name, with the calls that it makes, one after the other."""
    scripts = sorted(str(path.relative_to(root)) for path in _shell_scripts(root))
    workflows = sorted(str(path.relative_to(root)) for path in (root / ".github" / "workflows").glob("*.y*ml"))
    gates = {
        "ruff": [Command(("ruff", "check", "."))],
        "format": [Command(("ruff", "format", "--check", "."))],
        "mypy": list(_mypy(root)),
        "shellcheck": [Command(("shellcheck", *scripts))] if scripts else [],
        "zizmor": [Command(("zizmor", "--offline", "--quiet", ".github"))] if (root / ".github").is_dir() else [],
        "actionlint": [actionlint(*workflows)] if workflows else [],
    }
    return {name: calls for name, calls in gates.items() if calls}


def actionlint(*workflows: str) -> Command:
    """The check of workflows: their expressions and keys, and their scripts by the shellcheck of our environment."""
    words = ("actionlint", "-no-color", "-shellcheck", str(in_environment("shellcheck")), "-pyflakes", "")
    return Command((*words, *workflows), built=True)


def in_environment(name: str) -> Path:
    """The program of that name beside our Python."""
    return Path(sys.executable).with_name(name)


def run(root: Path) -> None:
    """Run the gates, two at a time, and print what each has to say.

    Raises:
        WrongStateError: One or more found something; all are named.
        MissingToolError: uv is missing, or actionlint cannot be built.
    """
    gates = commands(root)
    with ThreadPoolExecutor(max_workers=2) as pool:
        said = dict(zip(gates, pool.map(lambda calls: said_by(root, calls), gates.values()), strict=True))
    failed = [name for name, text in said.items() if text]
    for name, text in said.items():
        console.say(f"✗ {name}\n{text}" if text else f"✓ {name}")
    lock.check(root)
    console.say("✓ lock")
    if failed:
        raise WrongStateError(f"static gates failed: {', '.join(failed)}", where=str(root), remedy="see above")


def said_by(root: Path, calls: list[Command]) -> str:
    """What the calls that failed have said; empty when none did.

    Raises:
        MissingToolError: A program cannot be built.
    """
    said = []
    for call in calls:
        done = subprocess.run(  # noqa: S603 - programs of our own environment and toolchain
            [str(call.program), *call.words[1:]],
            cwd=root,
            env={**os.environ, "MYPYPATH": call.mypy_path},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        if done.returncode:
            said.append((done.stdout + done.stderr).strip() or f"{call.words[0]} ended with {done.returncode}")
    return "\n".join(said)


def _shell_scripts(root: Path) -> Iterator[Path]:
    yield from (root / name for name in SHEBANG_SCRIPTS if (root / name).is_file())
    yield from (path for tree in ("testing", "charts") for path in (root / tree).rglob("*.sh"))


def _mypy(root: Path) -> Iterator[Command]:
    """One call for all sources, one for each demo product, one for each tree of tests: those share names of modules."""
    sources = [
        path
        for pattern in ("packages/*/src", "plugins/*/src", "testing/*/src", "examples/*/src")
        for path in root.glob(pattern)
    ]
    others = [root / name for name in ("toolchain", "noxfile.py", "tasks.py")]
    held = [str(path.relative_to(root)) for path in (*sorted(sources), *others) if _holds_python(path)]
    yield Command(("mypy", *held))
    for product in sorted(root.glob("demo/*")):  # their scripts share names, and the module beside them
        if product.is_dir() and _holds_python(product):
            yield Command(("mypy", str(product.relative_to(root))), mypy_path=str(product.parent))
    for pattern in ("packages/*/tests", "plugins/*/tests", "testing/*/tests", "examples/*/tests", "tests"):
        for tree in sorted(root.glob(pattern)):
            if _holds_python(tree):
                yield Command(("mypy", str(tree.relative_to(root))), mypy_path=str(tree.parent))


def _holds_python(path: Path) -> bool:
    return path.is_file() or next(path.rglob("*.py"), None) is not None

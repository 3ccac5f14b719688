"""The static gates over the whole tree, each by the tool that the lock pins; all run, then the failures are named."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_ops import console
from floe_ops.audits import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

SHEBANG_SCRIPTS = ("noxw", ".ci/run")
DEADLINE_S = 600.0


def commands(root: Path) -> dict[str, list[str]]:
    """Every gate by name, with the words it is run by."""
    scripts = sorted(str(path.relative_to(root)) for path in _shell_scripts(root))
    mypy = ["mypy", *_python_roots(root)]
    gates = {
        "ruff": ["ruff", "check", "."],
        "format": ["ruff", "format", "--check", "."],
        "mypy": mypy,
        "shellcheck": ["shellcheck", *scripts] if scripts else [],
        "zizmor": ["zizmor", "--offline", "--quiet", ".github"] if (root / ".github").is_dir() else [],
    }
    return {name: words for name, words in gates.items() if words}


def run(root: Path) -> None:
    """Run the gates, two at a time, and print what each has to say.

    Raises:
        WrongStateError: One or more found something; all are named.
        MissingToolError: uv is missing.
    """
    gates = commands(root)
    with ThreadPoolExecutor(max_workers=2) as pool:
        done = dict(zip(gates, pool.map(lambda words: _call(root, words), gates.values()), strict=True))
    failed = [name for name, result in done.items() if result.returncode]
    for name, result in done.items():
        console.say(f"{'✗' if result.returncode else '✓'} {name}")
        if result.returncode:
            console.say((result.stdout + result.stderr).rstrip())
    lock.check(root)
    console.say("✓ lock")
    if failed:
        raise WrongStateError(f"static gates failed: {', '.join(failed)}", where=str(root), remedy="see above")


def _call(root: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(words[0])
    return subprocess.run(  # noqa: S603 - programs of our own environment
        [str(program), *words[1:]], cwd=root, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )


def _shell_scripts(root: Path) -> Iterator[Path]:
    yield from (root / name for name in SHEBANG_SCRIPTS if (root / name).is_file())
    yield from (path for tree in ("testing", "charts") for path in (root / tree).rglob("*.sh"))


def _python_roots(root: Path) -> list[str]:
    """Every tree that holds Python, tests and demos too, and the files at the top."""
    patterns = ("packages/*/src", "packages/*/tests", "plugins/*/src", "plugins/*/tests", "testing/*/src")
    trees = [
        path for pattern in (*patterns, "testing/*/tests", "tests", "demo", "toolchain") for path in root.glob(pattern)
    ]
    held = sorted(str(path.relative_to(root)) for path in trees if next(path.rglob("*.py"), None))
    return [*held, "noxfile.py", "tasks.py"]

"""The one environment that every session shares: made by uv from the lock, once, then found again by its stamp.

`python -m floe_ops.environment ensure` makes it, `… nox WORDS` makes it and becomes Nox. Standard library only,
because nothing else is there yet. Safe to run twice at once (a lock file), and to kill: the stamp is written last,
so what was half made is made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from floe_ops import project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINIMUM_UV = (0, 9)


class NoEnvironmentError(Exception):
    """The environment cannot be made; the text says what, why and what to do."""


def digest(root: Path) -> str:
    """What the environment depends on: the lock, every pyproject.toml, where the checkout lies, a Python asked for."""
    seen = hashlib.sha256(f"{os.environ.get('FLOE_PYTHON', '')} {sys.platform} {root}".encode())
    members = sorted([*root.glob("packages/*/pyproject.toml"), *root.glob("plugins/*/pyproject.toml")])
    for path in (root / "uv.lock", root / "pyproject.toml", *members, *sorted(root.glob("testing/*/pyproject.toml"))):
        seen.update(path.name.encode())
        seen.update(path.read_bytes())
    return seen.hexdigest()


def ready(root: Path) -> bool:
    """Whether `.venv` was made whole from the lock as it now is."""
    stamp = root / ".venv" / "floe-stamp"
    try:
        return stamp.read_text(encoding="utf-8") == digest(root) and (root / ".venv" / "bin" / "python").exists()
    except FileNotFoundError:
        return False


def ensure(root: Path) -> Path:
    """Make the environment if it is not there and return its Python.

    Raises:
        NoEnvironmentError: No uv can be had, the lock is out of date or broken, or the checkout cannot be written.
    """
    python = root / ".venv" / "bin" / "python"
    if ready(root):
        return python
    with _alone(root):
        if not ready(root):
            _make(root)
    return python


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the environment's lock; a second process waits and then finds the work done."""
    try:
        folder = root / ".floe"
        folder.mkdir(exist_ok=True)
        handle = (folder / "environment.lock").open("w", encoding="utf-8")
    except OSError as error:
        raise NoEnvironmentError(
            f"cannot write to the checkout\n  where: {root}\n  why:   {error.strerror}\n"
            "  next:  clone it into a folder of your own"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("environment: another process is making it, waiting", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(root: Path) -> None:
    started = time.monotonic()
    stamp = root / ".venv" / "floe-stamp"
    stamp.unlink(missing_ok=True)
    wanted = digest(root)
    uv = find_uv(root)
    print("environment: making .venv from uv.lock (seconds with a warm cache, else a minute or two)", file=sys.stderr)
    env = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    env |= {"UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(root / ".venv")}
    python = sys.executable if (3, 11) <= sys.version_info[:2] <= (3, 13) else ">=3.11,<3.14"  # nox may run on another
    command = [uv, "sync", "--locked", "--quiet", "--python", python, "--project", str(root)]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NoEnvironmentError(
            f"uv could not make the environment\n  where: {root / 'uv.lock'}\n  why:   {done.stderr.strip()}\n"
            f"  next:  {_remedy(done.stderr)}"
        )
    half = stamp.with_suffix(".half")
    half.write_text(wanted, encoding="utf-8")
    half.replace(stamp)
    print(f"environment: ready in {time.monotonic() - started:.1f} s", file=sys.stderr)


def _remedy(stderr: str) -> str:
    if "needs to be updated" in stderr:
        return "the lock does not fit the pyproject.toml files: run `uv lock` and commit uv.lock"
    if "No space left" in stderr:
        return "free some disk space (the environment takes about 1 GB) and run the same command again"
    if "Failed to parse" in stderr or "TOML parse error" in stderr:
        return "restore the file named above: `git checkout uv.lock`"
    return "mend what uv names above and run the same command again; an offline machine needs uv's cache filled once"


def find_uv(root: Path) -> str:
    """A new enough uv: from PATH, else the one this project fetched, else fetched now by its hash in the lock."""
    from floe_ops import uv_wheel

    on_path = shutil.which("uv")
    if on_path and _version(on_path) >= MINIMUM_UV:
        return on_path
    try:
        return str(uv_wheel.ensure(root))
    except uv_wheel.FetchError as error:
        raise NoEnvironmentError(str(error)) from error


def _version(uv: str) -> tuple[int, ...]:
    said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    digits = said.split()[1].split(".")[:2] if len(said.split()) > 1 else []
    return tuple(int(part) for part in digits if part.isdigit())


def main(words: list[str]) -> int:
    """`ensure`, or `nox WORDS…`, which does not return when all is well."""
    root = project.root()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that uv does not run on alone
    try:
        python = ensure(root)
    except NoEnvironmentError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 5
    except OSError as error:
        print(f"✗ cannot write {error.filename or root}: {error.strerror}", file=sys.stderr)
        print("  next:  free some disk space, or clone into a folder of your own", file=sys.stderr)
        return 5
    if words[:1] == ["nox"]:
        os.environ.pop("PYTHONPATH", None)
        sys.stdout.flush()
        os.execv(python, [str(python), "-m", "nox", "-f", str(root / "noxfile.py"), *words[1:]])  # noqa: S606
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

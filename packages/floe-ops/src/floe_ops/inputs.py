"""The files that a proof depends on, by content, fast: git's index knows the hash of every unchanged file.

Standard library only. Outside of a git checkout every file is hashed.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

IGNORED = {".git", ".venv", ".floe", ".nox", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def tree(root: Path) -> dict[str, str]:
    """Path from the root to content hash, for every file that git tracks or would add; sorted by path.

    Two checkouts of one commit give equal maps. A file that is gone has no entry.
    """
    if not (root / ".git").exists():
        return dict(sorted(_walk(root)))
    with ThreadPoolExecutor(max_workers=3) as side_by_side:
        staged, changed, new = side_by_side.map(
            lambda words: _git(root, *words),
            (
                ("ls-files", "--stage", "-z"),
                ("diff-files", "--name-only", "-z"),
                ("ls-files", "--others", "--exclude-standard", "-z"),
            ),
        )
    hashes = {path: line.split()[1] for line, _, path in (entry.partition("\t") for entry in staged)}
    for path in {*changed, *new}:
        content = _hash(root / path)
        if content is None:
            hashes.pop(path, None)
        else:
            hashes[path] = content
    return dict(sorted(hashes.items()))


def _git(root: Path, *words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=True)  # noqa: S603, S607 - git on PATH
    return [entry for entry in done.stdout.decode(errors="surrogateescape").split("\0") if entry]


def _hash(path: Path) -> str | None:
    """The hash that git gives a blob of this content, so that staging a file changes nothing."""
    try:
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _walk(root: Path) -> Iterable[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED]
        for name in files:
            path = root / folder / name
            content = _hash(path)
            if content is not None:
                yield path.relative_to(root).as_posix(), content


def select(files: dict[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """The part of a tree that the patterns name: files, folders with all below them, globs; `!` takes away."""
    wanted = tuple(pattern for pattern in patterns if not pattern.startswith("!"))
    unwanted = tuple(pattern[1:] for pattern in patterns if pattern.startswith("!"))
    return {path: content for path, content in files.items() if _named(path, wanted) and not _named(path, unwanted)}


def _named(path: str, patterns: tuple[str, ...]) -> bool:
    for pattern in patterns:
        folder = pattern.rstrip("/")
        if path == folder or path.startswith(f"{folder}/"):
            return True
        if "*" in pattern and (fnmatch.fnmatchcase(path, folder) or fnmatch.fnmatchcase(path, f"{folder}/*")):
            return True
    return False


def digest(files: dict[str, str], *extra: str) -> str:
    """One hash over a tree and whatever else a proof depends on."""
    seen = hashlib.sha256("\0".join(extra).encode())
    for path, content in files.items():
        seen.update(f"\0{path}\0{content}".encode(errors="surrogateescape"))
    return seen.hexdigest()

"""The files that a proof depends on, by content, fast: git's index knows the hash of every unchanged file.

Standard library only. Outside of a git checkout every file is hashed.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

IGNORED = {
    ".git",
    ".venv",
    ".floe",
    ".nox",
    "__pycache__",
    ".hypothesis",
    "dist",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}


def tree(root: Path) -> dict[str, str]:
    """Path from the root to mode and content hash, for every file that git tracks or would add; sorted by path.

    Two checkouts of one commit give equal maps. A file that is gone has no entry. Where git is missing, or refuses a
    checkout that belongs to somebody else, every file is read.
    """
    if not (root / ".git").exists():
        return dict(sorted(_walk(root)))
    try:
        return _indexed(root)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else error
        print(f"every file is read, because git does not answer: {str(said).strip()}", file=sys.stderr)
        return dict(sorted(_walk(root)))


def _indexed(root: Path) -> dict[str, str]:
    with ThreadPoolExecutor(max_workers=3) as side_by_side:
        staged, changed, new = side_by_side.map(
            lambda words: _git(root, *words),
            (
                ("ls-files", "--stage", "-z"),
                ("diff-files", "--name-only", "-z"),
                ("ls-files", "--others", "--exclude-standard", "-z"),
            ),
        )
    hashes = {path: " ".join(line.split()[:2]) for line, _, path in (entry.partition("\t") for entry in staged)}
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
    """Mode and hash that git gives a blob of this content, so that staging a file changes nothing."""
    try:
        link = path.is_symlink()
        content = os.fsencode(path.readlink()) if link else path.read_bytes()
        mode = "120000" if link else "100755" if path.stat().st_mode & 0o100 else "100644"
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    return f"{mode} {hashlib.sha1(b'blob %d' % len(content) + bytes(1) + content, usedforsecurity=False).hexdigest()}"


def _walk(root: Path) -> Iterable[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED]
        for name in files:
            path = root / folder / name
            content = _hash(path)
            if content is not None:
                yield path.relative_to(root).as_posix(), content


def select(files: dict[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """The part of a tree that the patterns name; one that starts with `!` takes away.

    A pattern is a file, a folder (with all below it) or a glob, in which `*` stays within a name and `**` crosses
    folders.
    """
    wanted = _matcher(pattern for pattern in patterns if not pattern.startswith("!"))
    unwanted = _matcher(pattern[1:] for pattern in patterns if pattern.startswith("!"))
    return {path: content for path, content in files.items() if wanted(path) and not unwanted(path)}


def _matcher(patterns: Iterable[str]) -> Callable[[str], object]:
    parts = [
        re.escape(pattern.rstrip("/")).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") + "(/.*)?" for pattern in patterns
    ]
    return re.compile("|".join(parts)).fullmatch if parts else lambda _path: None


def digest(files: dict[str, str], *extra: str) -> str:
    """One hash over a tree and whatever else a proof depends on."""
    seen = hashlib.sha256("\0".join(extra).encode())
    for path, content in files.items():
        seen.update(f"\0{path}\0{content}".encode(errors="surrogateescape"))
    return seen.hexdigest()

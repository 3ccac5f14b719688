"""The manifest of a project, parsed once for the commands that follow one another in a process.

Each command of dbt's own would read the parsed project from its file again and write it again: about half of what a
small project's commands cost. A file that changed, another variable or another target is parsed anew.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_core.plugins import DbtRequest

_MADE = frozenset({"target", "logs", "__pycache__", ".git"})


@dataclass
class Parsed:
    """What was parsed last.

    Attributes:
        stamp: Of everything that it was made of.
        manifest: dbt's `Manifest`; None before the first command.
    """

    stamp: object = None
    manifest: Any = None

    def get(self, request: DbtRequest, parse: Callable[[], Any]) -> Any:
        """The manifest for `request`, from `parse` where what it is made of has changed.

        Raises:
            Exception: As `parse` does.
        """
        stamp = _stamp(request)
        if self.manifest is None or stamp != self.stamp:
            self.manifest = None
            self.manifest = parse()
            self.stamp = stamp
        return self.manifest


def _stamp(request: DbtRequest) -> object:
    """Equal for two requests that parse to the same manifest."""
    asked = (request.project_dir, request.profiles_dir, request.target, request.target_path)
    words = (dict(request.variables), dict(request.environment), dict(os.environ))
    return asked, words, tuple(_files(request.project_dir)), tuple(_files(request.profiles_dir, deep=False))


def _files(folder: Path, *, deep: bool = True) -> Iterator[tuple[str, int, int]]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if deep and name not in _MADE)
        for name in sorted(names):
            path = Path(root, name)
            try:
                found = path.stat()
            except OSError:  # somebody has just taken it away
                continue
            yield str(path), found.st_mtime_ns, found.st_size

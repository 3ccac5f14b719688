"""Writes a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from floe_core.errors import WrongStateError

ABANDONED_S: Final = 3600.0
"""After this many seconds a half-written file belongs to nobody: its writer was killed."""


def write_atomic(path: Path, text: str) -> None:
    """Replace `path` by `text`; folders are made, a reader sees the old content or the new one.

    Raises:
        WrongStateError: The place cannot be written to.
    """
    temporary = ""
    prefix = f".{path.name}.floe-"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=prefix, dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        # mkstemp makes private files; artifacts hold no secret and are read by other users.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise WrongStateError(
            f"{path.name} cannot be written",
            where=str(path),
            why=(error.strerror or type(error).__name__).lower(),
            remedy="give yourself the right to write there, or name another place",
        ) from None
    _clear(path.parent, prefix)


def _clear(folder: Path, prefix: str) -> None:
    """Remove what killed writers of the same file left behind."""
    with suppress(OSError):  # a folder that cannot be cleared was written to all the same
        for entry in os.scandir(folder):
            if entry.name.startswith(prefix) and time.time() - entry.stat().st_mtime > ABANDONED_S:
                Path(entry.path).unlink(missing_ok=True)

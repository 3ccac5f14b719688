"""Writes a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from floe_core.errors import WrongStateError


def write_atomic(path: Path, text: str) -> None:
    """Replace `path` by `text`; folders are made, a reader sees the old content or the new one.

    Raises:
        WrongStateError: The place cannot be written to.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        # mkstemp makes private files; artifacts hold no secret and are read by other users.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise WrongStateError(
            "the artifacts cannot be written",
            where=str(path),
            why=(error.strerror or type(error).__name__).lower(),
            remedy="name another place with --output, or - for standard output",
        ) from None

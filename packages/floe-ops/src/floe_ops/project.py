"""Where things are: the project's root and the folders that the automation writes.

Standard library only: the ledger and the verdict import this before any environment exists.
"""

from __future__ import annotations

import os
from pathlib import Path

MARKER = "noxfile.py"


def root() -> Path:
    """The project's root: `FLOE_ROOT`, else the nearest folder at or above the working directory with a noxfile.

    Falls back to the checkout that this file lies in, so that an editable install works from anywhere.
    """
    named = os.environ.get("FLOE_ROOT")
    if named:
        return Path(named).resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / MARKER).is_file() and (folder / "uv.lock").is_file():
            return folder
    return Path(__file__).resolve().parents[4]


def state() -> Path:
    """`.floe/`, the only folder that the automation writes to; made on first use."""
    folder = root() / ".floe"
    folder.mkdir(exist_ok=True)
    return folder


def run_dir() -> Path | None:
    """The folder of the running Nox invocation, or None outside of one (set by the noxfile)."""
    named = os.environ.get("FLOE_RUN_DIR")
    return Path(named) if named else None

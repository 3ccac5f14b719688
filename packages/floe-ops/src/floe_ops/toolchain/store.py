"""Builds on disk: found by key, checked by their checksum, put in place whole, one builder at a time."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SPACE = 28
STAMP = "build.json"


def intact(place: Path, program: str, *, runs: bool = True) -> bool:
    """Whether `place` holds the file `program` exactly as it was put there, and it `runs` if it should."""
    try:
        stamp = json.loads((place / STAMP).read_text(encoding="utf-8"))
        file = place / program
        same = file.stat().st_size == stamp["size"] and checksum(file) == stamp["sha256"]
        return bool(same) and os.access(file, os.X_OK if runs else os.R_OK)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def note(place: Path, name: str) -> object:
    """What was noted under `name` when `place` was made; None where nothing was."""
    try:
        return json.loads((place / STAMP).read_text(encoding="utf-8")).get(name)
    except (OSError, ValueError, AttributeError):
        return None


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def making(place: Path, program: str, about: dict[str, object]) -> Iterator[Path]:
    """A temp folder to build `program` in; becomes `place` when the block succeeds, is deleted when it does not.

    Whoever calls holds the lock of `place`, so that a temp folder found beside it belongs to a build that was killed,
    and goes too.

    Args:
        place: The final folder; what is there is replaced.
        program: The file in it that is checked from then on.
        about: What to note beside the checksum.
    """
    for left in place.parent.glob(f".{place.name}.*/"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        yield temporary
        file = temporary / program
        stamp = {"size": file.stat().st_size, "sha256": checksum(file), **about}
        (temporary / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def writable(folder: Path, space_mb: int) -> Iterator[None]:
    """Make `folder` and see to it that there is room; a failure to write inside of the block becomes readable.

    Raises:
        FloeError: It cannot be written to, or the disk is full.
        NotReadyError: Somebody else holds a lock in it for too long.
    """
    from filelock import Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        free_mb = shutil.disk_usage(folder).free // 2**20
        if free_mb < space_mb:
            raise full(folder, f"{free_mb} MB are free, a first build may take {space_mb} MB")
        yield
    except Timeout as error:  # an OSError too
        raise NotReadyError(
            "another process does not finish making a tool",
            where=error.lock_file,
            why="it still holds the lock after the time that a whole build is given",
            remedy="let it end, or end it; then try again",
        ) from None
    except OSError as error:
        where = Path(error.filename or folder)
        if error.errno == NO_SPACE:
            raise full(where, "no space left on device") from error
        raise FloeError(
            "a tool cannot be put in place",
            where=str(where),
            why=error.strerror or str(error),
            remedy="make the folder writable for yourself, or set FLOE_TOOLS to one that is",
        ) from error


def full(where: Path, why: str) -> FloeError:
    """The error for a disk without room."""
    return FloeError(
        "there is not enough disk space to build a tool",
        where=str(where),
        why=why,
        remedy="free some space, or set FLOE_TOOLS, GOCACHE and GOMODCACHE to folders on another disk",
    )

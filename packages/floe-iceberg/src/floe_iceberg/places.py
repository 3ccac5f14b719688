"""Files of a table where they lie: listed, measured and removed, a bounded number at a time."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pyarrow.fs import FileSelector, FileType  # type: ignore[import-untyped] # the wheel carries no types
from pyiceberg.io.pyarrow import PyArrowFileIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from pyiceberg.io import FileIO

AT_ONCE: Final = 8
"""Requests to the object store that are under way together."""
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Found:
    """A file that was listed.

    Attributes:
        location: As the table's FileIO takes it.
        bytes: Its size.
        changed: When it was written.
    """

    location: str
    bytes: int
    changed: datetime


def together(work: Callable[[T], R], items: Iterable[T], at_once: int = AT_ONCE) -> Iterator[R]:
    """Results in the order of the items; only `at_once` of them are under way or waiting to be taken."""
    with ThreadPoolExecutor(at_once) as pool:
        under_way: deque[Future[R]] = deque()
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) >= at_once:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def key_of(location: str) -> str:
    """The same for every way to write one place: `s3://b/k` and `s3a://b/k`, `file:///k` and `/k`."""
    return PyArrowFileIO.parse_location(location)[2]


def listing(io: FileIO, location: str) -> Iterator[Found]:
    """Every file below a location, and nothing outside of it."""
    scheme, netloc, path = PyArrowFileIO.parse_location(location, io.properties)
    system = (io if isinstance(io, PyArrowFileIO) else PyArrowFileIO(io.properties)).fs_by_scheme(scheme, netloc)
    root = path.rstrip("/") + "/"
    for info in system.get_file_info(FileSelector(root, recursive=True, allow_not_found=True)):
        if info.type is FileType.File and info.path.startswith(root):
            yield Found(location.rstrip("/") + "/" + info.path.removeprefix(root), info.size, info.mtime)


def size(io: FileIO, location: str) -> int | None:
    """Bytes of a file; None when it is not there."""
    try:
        return len(io.new_input(location))
    except FileNotFoundError:
        return None


def remove(io: FileIO, location: str) -> bool:
    """Remove a file; False when somebody has done so before."""
    try:
        io.delete(location)
    except FileNotFoundError:
        return False
    return True

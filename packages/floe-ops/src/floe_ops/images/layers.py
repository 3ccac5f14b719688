"""Layers of real size, written entry by entry: a tar whose bytes depend on nothing but what is in it.

Entries are sorted, owners are numbers, modes are 755 or 644 unless an entry says otherwise, times are one given
second. The digests are taken while the file is written, so nothing is read twice and little is held in memory.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from floe_core.errors import WrongStateError

from floe_ops.images.layout import OCI_LAYER, Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COPY_BYTES = 1 << 20
PROGRAM, FILE, FOLDER = 0o755, 0o644, 0o755
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_LEVEL = 3
ZSTD_THREADS = 2
"""Fixed: the compressed bytes of several threads differ from those of one."""


@dataclass(frozen=True)
class Entry:
    """One thing in a layer.

    Attributes:
        path: In the image, relative.
        content: A file's bytes, or the file that has them; None for a folder or a link.
        target: Where a symbolic link points to.
        mode: Permissions.
        owner: Number of user and group.
    """

    path: str
    content: bytes | Path | None = None
    target: str = ""
    mode: int = FOLDER
    owner: int = 0


def file(path: str, content: bytes | str | Path, *, mode: int = FILE, owner: int = 0) -> Entry:
    """A file from bytes, text or another file."""
    return Entry(path, content.encode() if isinstance(content, str) else content, mode=mode, owner=owner)


def folder(path: str, *, mode: int = FOLDER, owner: int = 0) -> Entry:
    """An empty folder; those that lead to a file are made without being named."""
    return Entry(path, mode=mode, owner=owner)


def link(path: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(path, target=target, mode=0o777)


def tree(source: Path, at: str, keep: Callable[[PurePosixPath], bool] = lambda _path: True) -> Iterator[Entry]:
    """Everything below `source`, owned by root and writable by nobody else; no setuid bit survives.

    Args:
        source: A folder.
        at: Where it goes in the image; empty for the root.
        keep: Asked with each path relative to `source`; what it refuses is left out, a folder with all below it.
    """
    for here, folders, files in os.walk(source):
        place = Path(here)
        inside = PurePosixPath(place.relative_to(source))
        folders[:] = sorted(name for name in folders if keep(inside / name))
        for name in (*folders, *(name for name in files if keep(inside / name))):
            found, path = place / name, str(PurePosixPath(at) / inside / name)
            if found.is_symlink():
                yield link(path, str(found.readlink()))
            elif found.is_dir():
                yield folder(path)
            elif found.is_file():
                yield file(path, found, mode=PROGRAM if found.stat().st_mode & 0o100 else FILE)


def write_layer(output: Path, entries: Iterable[Entry], *, epoch: int = 0, compress: bool = False) -> Layer:
    """Write the entries to `output`; of two with one path the later one counts.

    Args:
        output: A file.
        entries: In any order.
        epoch: Time of every entry, in seconds since 1970.
        compress: With zstd, which every engine since 2023 reads.
    """
    wanted = {entry.path.strip("/"): entry for entry in entries}
    for path in list(wanted):
        for above in PurePosixPath(path).parents:
            wanted.setdefault(str(above), folder(str(above)))
    wanted.pop(".", None)
    with output.open("wb") as raw:
        stored = _Digesting(raw)
        if not compress:
            _write_tar(stored, wanted, epoch)
            return Layer(stored.digest, stored.size, stored.digest)
        import zstandard

        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, threads=ZSTD_THREADS)
        with compressor.stream_writer(cast("IO[bytes]", stored), closefd=False) as writer:
            plain = _Digesting(writer)
            _write_tar(plain, wanted, epoch)
        return Layer(stored.digest, stored.size, plain.digest, f"{OCI_LAYER}+zstd")


class _Digesting(io.RawIOBase):
    """Passes on what is written, and knows its checksum and size."""

    def __init__(self, under: IO[bytes]) -> None:
        super().__init__()
        self._under = under
        self._seen = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._seen.hexdigest()}"

    def write(self, content: bytes) -> int:  # type: ignore[override] # typeshed: any buffer
        self._seen.update(content)
        self.size += len(content)
        self._under.write(content)
        return len(content)


def _write_tar(output: _Digesting, entries: dict[str, Entry], epoch: int) -> None:
    with tarfile.open(
        fileobj=output,  # type: ignore[call-overload] # it is written to only
        mode="w|",
        format=tarfile.PAX_FORMAT,
        bufsize=COPY_BYTES,
        copybufsize=COPY_BYTES,
    ) as archive:
        for path, entry in sorted(entries.items()):
            info = tarfile.TarInfo(path)
            info.mode, info.mtime = entry.mode, epoch
            info.uid = info.gid = entry.owner
            _add(archive, info, entry)


def _add(archive: tarfile.TarFile, info: tarfile.TarInfo, entry: Entry) -> None:
    if entry.target:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
        archive.addfile(info)
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif isinstance(entry.content, bytes):
        info.size = len(entry.content)
        archive.addfile(info, io.BytesIO(entry.content))
    else:
        with entry.content.open("rb") as source:
            info.size = os.fstat(source.fileno()).st_size
            archive.addfile(info, source)


def extract(file: Path, root: Path) -> None:
    """Unpack a layer into the folder `root`; owners become whoever unpacks.

    Raises:
        WrongStateError: It is damaged, or would write outside of `root`.
    """
    try:
        _extract(file, root)
    except tarfile.TarError as error:
        raise WrongStateError(
            "a layer cannot be unpacked", where=str(file), why=str(error), remedy="delete it and build it again"
        ) from error


def _extract(file: Path, root: Path) -> None:
    with file.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic != ZSTD_MAGIC:
            with tarfile.open(fileobj=raw) as archive:
                archive.extractall(root, filter="tar")  # nosec B202 - the filter keeps members below root
            return
        import zstandard

        with (
            zstandard.ZstdDecompressor().stream_reader(raw) as plain,
            tarfile.open(fileobj=plain, mode="r|", bufsize=COPY_BYTES) as archive,
        ):
            archive.extractall(root, filter="tar")  # nosec B202 - the filter keeps members below root

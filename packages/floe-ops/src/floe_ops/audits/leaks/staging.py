"""Files of many origins in one folder, each content once, for one look of the detector.

A wheel holds what the source holds, an image what the wheel holds: the detector reads equal bytes once, and a finding
is told for every place that has them. gitleaks passes over paths by name (everything below `lib/python3.11`,
`*.dist-info`, go.sum, pictures): files are therefore numbered here, and keep of their names only an ending that it
does not know by heart.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from floe_ops.audits.leaks.detector import Leak

# Rules of gitleaks that ask for these endings; every other file is read by the rules for any file.
KEPT_SUFFIXES = frozenset({".php", ".tf", ".tfvars", ".hcl", ".yaml", ".yml", ".p12", ".pfx"})
# Hashes of modules and packages, which look like keys and are none: public by nature, checked by their own tools.
HASHES = frozenset({"go.sum", "uv.lock", "package-lock.json"})
MAX_BYTES = 64 * 2**20


@dataclass
class Staging:
    """A folder that fills up.

    Attributes:
        folder: Empty at first.
        files: How many places were staged.
        size: Of the distinct contents, in bytes.
        left_out: Places that were not staged, each with why.
    """

    folder: Path
    files: int = 0
    size: int = 0
    left_out: list[str] = field(default_factory=list)
    _places: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, content: bytes, path: str, inside: str = "") -> None:
        """Stage one content.

        Args:
            content: The bytes.
            path: Its name: from the project's root, or inside of what it lies in.
            inside: The wheel, archive or image that it lies in.
        """
        name = PurePosixPath(path)
        if name.name in HASHES:
            return
        suffix = name.suffix.lower() if name.suffix.lower() in KEPT_SUFFIXES else ".txt"
        key = f"{hashlib.sha256(content).hexdigest()}{suffix}"
        self.files += 1
        if key not in self._places:
            (self.folder / key).write_bytes(content)
            self.size += len(content)
        self._places.setdefault(key, []).append((path, inside))

    def add_file(self, file: Path, path: str) -> None:
        """Stage a file; one that is gone meanwhile is none, one that is too large is said to be left out."""
        try:
            if file.stat().st_size > MAX_BYTES:
                self.left_out.append(f"{path} (larger than {MAX_BYTES // 2**20} MB)")
                return
            self.add(file.read_bytes(), path)
        except FileNotFoundError:
            return

    def add_archive(self, archive: Path, inside: str) -> None:
        """Stage every file of a zip, a tar, or a tar that zstd or gzip made small.

        Raises:
            WrongStateError: The archive cannot be read.
        """
        try:
            for path, content in _members(archive):
                self.add(content, path, inside)
        except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise WrongStateError(
                "an archive cannot be looked at for credentials", where=str(archive), why=str(error)
            ) from error

    def told(self, leaks: Iterable[Leak]) -> list[Leak]:
        """The findings of the folder, once for every place that has that content."""
        return [
            replace(leak, path=path, inside=inside)
            for leak in leaks
            for path, inside in self._places[PurePosixPath(leak.path).name]
        ]


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if not entry.is_dir():
                    yield entry.filename, opened.read(entry)
        return
    with archive.open("rb") as raw:
        stream: IO[bytes] = raw
        if archive.suffix == ".zst":
            import zstandard

            stream = cast("IO[bytes]", zstandard.ZstdDecompressor().stream_reader(raw))
        with tarfile.open(fileobj=stream, mode="r|*") as opened_tar:
            for member in opened_tar:
                file = opened_tar.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield member.name, file.read()

"""The bill of an image: Debian packages, Python distributions and Go modules, as they are found in its layers.

What counts is what is in the files: dpkg's own notes (`var/lib/dpkg/status.d`), `METADATA` of each distribution, and
the list of modules that the Go linker writes into every program between two fixed marks (`runtime/debug`).
"""

from __future__ import annotations

import mmap
import re
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from email.parser import BytesParser
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final, cast

from floe_core.errors import WrongStateError

from floe_ops.images.archive import read_archive
from floe_ops.images.layers import COPY_BYTES, ZSTD_MAGIC
from floe_ops.sbom import document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.images.build import BuiltImage

DPKG: Final = re.compile(r"var/lib/dpkg/status\.d/[^/]+\Z")
METADATA: Final = re.compile(r".*\.dist-info/METADATA\Z")
ELF: Final = b"\x7fELF"
BEGIN: Final = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
END: Final = bytes.fromhex("f932433186182072008242104116d8f2")
LARGEST_NOTE: Final = 4 * 1024 * 1024
FROM_SOURCE: Final = "(devel)"


def bill(image: BuiltImage) -> dict[str, Any]:
    """The document about an image that is built.

    Raises:
        WrongStateError: Its archive cannot be read.
    """
    found = {part["bom-ref"]: part for part in _found(image.archive)}
    name, _, version = image.reference.rpartition(":")
    subject = {
        "type": "container",
        "bom-ref": image.reference,
        "name": name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": image.digest.removeprefix("sha256:")}],
    }
    needs = [{"ref": image.reference, "dependsOn": sorted(found)}]
    return document.finished(subject, found.values(), needs)


def modules(program: bytes | mmap.mmap) -> list[tuple[str, str]]:
    """Path and version of the main module and of each module that a Go program was linked from; none for another."""
    begin = program.find(BEGIN)
    end = program.find(END, begin)
    if begin < 0 or end < 0:
        return []
    said: list[tuple[str, str]] = []
    for line in bytes(program[begin + len(BEGIN) : end]).decode("utf-8", "replace").splitlines():
        kind, *rest = line.split("\t")
        if kind == "=>" and said:  # the module before it was replaced by this one
            said.pop()
        if kind in {"mod", "dep", "=>"}:
            path, version, *_ = [*rest, "", ""]
            said.append((path, version))
    return [(path, version) for path, version in said if version not in {"", FROM_SOURCE}]


def _found(archive: Path) -> Iterator[document.Component]:
    contents = read_archive(archive)
    try:
        with tarfile.open(archive) as outer:
            for digest, _ in contents.layers:
                blob = cast("IO[bytes]", outer.extractfile(f"blobs/{digest.replace(':', '/')}"))
                with blob, _layer(blob) as layer:
                    for member in layer:
                        yield from _of(layer, member)
    except (tarfile.TarError, KeyError, AttributeError, EOFError, OSError) as error:
        raise WrongStateError(
            "a layer cannot be read", where=str(archive), why=str(error), remedy="build the image again"
        ) from error


@contextmanager
def _layer(blob: IO[bytes]) -> Iterator[tarfile.TarFile]:
    magic = blob.read(len(ZSTD_MAGIC))
    blob.seek(0)
    if magic != ZSTD_MAGIC:
        with tarfile.open(fileobj=blob, mode="r|", bufsize=COPY_BYTES) as layer:
            yield layer
        return
    import zstandard

    with (
        zstandard.ZstdDecompressor().stream_reader(blob) as plain,
        tarfile.open(fileobj=cast("IO[bytes]", plain), mode="r|", bufsize=COPY_BYTES) as layer,
    ):
        yield layer


def _of(layer: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[document.Component]:
    path = str(PurePosixPath(member.name))
    noted = DPKG.match(path) or METADATA.match(path)
    if not member.isfile() or (noted and member.size > LARGEST_NOTE) or not (noted or member.mode & 0o111):
        return
    content = layer.extractfile(member)
    if content is None:
        return
    with content:
        if noted:
            yield from _noted(content.read(), debian=bool(DPKG.match(path)))
        elif (begin := content.read(len(ELF))) == ELF:
            yield from _linked(begin, content)


def _noted(raw: bytes, *, debian: bool) -> Iterator[document.Component]:
    said = BytesParser().parsebytes(raw, headersonly=True)
    name, version = said.get("Package" if debian else "Name"), said.get("Version")
    if name and version and debian:
        yield document.component("deb", str(name), str(version), arch=str(said.get("Architecture", "all")))
    elif name and version:
        yield document.component("pypi", re.sub(r"[-_.]+", "-", str(name)).lower(), str(version))


def _linked(begin: bytes, rest: IO[bytes]) -> Iterator[document.Component]:
    with tempfile.TemporaryFile() as file:
        file.write(begin)
        shutil.copyfileobj(rest, file, COPY_BYTES)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program:
            for path, version in modules(program):
                yield document.component("golang", path, version)

"""A layered image as ONE file: a tar of an OCI layout, named so that `ctr`, kind and Docker all know what it is.

containerd and kind take the name from the annotation `io.containerd.image.name`, other tools from
`org.opencontainers.image.ref.name`; Docker before version 25 reads no layout but a file `manifest.json`, which
costs nothing to put beside it. Layers are copied from files, never held in memory.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError

from floe_ops.clients import untrusted
from floe_ops.clients.registry import MAX_DOCUMENT
from floe_ops.images.layers import COPY_BYTES
from floe_ops.images.layout import LAYOUT_MARKER, Layer, Settings, digest_of, documents, index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "io.containerd.image.name"
REF_NAME = "org.opencontainers.image.ref.name"


class ArchiveError(WrongStateError):
    """A file is no archive of one image."""


@dataclass(frozen=True)
class Contents:
    """What an archive says of itself.

    Attributes:
        reference: The image's name.
        digest: Of its manifest.
        config: Its configuration.
        layers: Digest and size of each layer, the lowest first.
    """

    reference: str
    digest: str
    config: dict[str, Any]
    layers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Image:
    """An image to be written.

    Attributes:
        reference: Registry, name and tag, as a pod names it.
        platform: `os/architecture`.
        settings: How it runs.
        layers: Each with the file that holds it, the lowest first.
        epoch: When it was made, in seconds since 1970.
    """

    reference: str
    platform: str
    settings: Settings
    layers: Sequence[tuple[Layer, Path]]
    epoch: int = 0


def write_archive(output: Path, image: Image) -> str:
    """Write an image to the file `output` and return the digest of its manifest."""
    layers = {layer.digest: (layer, file) for layer, file in image.layers}
    in_order = [layer for layer, _ in image.layers]
    config, manifest = documents(image.platform, image.settings, in_order, epoch=image.epoch)
    names = {NAME: image.reference, REF_NAME: image.reference.rpartition(":")[2]}
    for_docker = [
        {
            "Config": _blob(digest_of(config)),
            "Layers": [_blob(layer.digest) for layer in in_order],
            "RepoTags": [image.reference],
        }
    ]
    small = {
        "oci-layout": LAYOUT_MARKER,
        "index.json": index(manifest, names),
        "manifest.json": json.dumps(for_docker, sort_keys=True, separators=(",", ":")).encode(),
        _blob(digest_of(config)): config,
        _blob(digest_of(manifest)): manifest,
    }
    with tarfile.open(output, "w", format=tarfile.PAX_FORMAT, copybufsize=COPY_BYTES) as archive:  # type: ignore[call-overload] # typeshed lacks copybufsize
        for path, content in small.items():
            archive.addfile(_info(path, len(content)), io.BytesIO(content))
        for digest, (layer, file) in layers.items():
            with file.open("rb") as source:
                archive.addfile(_info(_blob(digest), layer.size), source)
    return digest_of(manifest)


def read_archive(file: Path) -> Contents:
    """What the archive `file` holds; its layers are not read.

    Raises:
        ArchiveError: It is no archive of one image, or a document in it is damaged.
    """
    try:
        with tarfile.open(file) as archive:
            (entry,) = untrusted.document(_read(archive, "index.json"))["manifests"]
            manifest = untrusted.document(_checked(archive, entry["digest"]))
            config = untrusted.document(_checked(archive, manifest["config"]["digest"]))
            layers = tuple((str(layer["digest"]), int(layer["size"])) for layer in manifest["layers"])
            return Contents(str(entry["annotations"][NAME]), str(entry["digest"]), dict(config), layers)
    except (tarfile.TarError, OSError, *untrusted.STUMBLES) as error:
        raise ArchiveError(
            "not an archive of one image", where=str(file), why=untrusted.why(error), remedy="build it again"
        ) from error


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _info(path: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = size, 0o644, 0
    return info


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(path)
    if member is None:
        raise KeyError(f"{path} is no file")
    content = member.read(MAX_DOCUMENT + 1)
    if len(content) > MAX_DOCUMENT:
        raise ValueError(f"{path} is larger than {MAX_DOCUMENT} bytes")
    return content


def _checked(archive: tarfile.TarFile, digest: str) -> bytes:
    content = _read(archive, _blob(digest))
    if digest_of(content) != digest:
        raise ValueError(f"{digest} has other content")
    return content

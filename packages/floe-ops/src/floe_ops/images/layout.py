"""The documents of a container image, and tiny images written as OCI image layouts, with no container engine.

Contract: the OCI Image Specification 1.1 (layout, manifest, configuration). Equal inputs give equal bytes, so equal
digests: keys and entries sorted, times given, owner root, the tiny layer left uncompressed because compressors differ
by version. Layers of real size are written by `floe_ops.images.layers`, images of them by `floe_ops.images.archive`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from floe_core.errors import UsageError

from floe_ops.clients.registry import OCI_INDEX, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYOUT_MARKER = b'{"imageLayoutVersion":"1.0.0"}'
TITLE = "org.opencontainers.image.title"


@dataclass(frozen=True)
class Layer:
    """What an image says of one of its layers.

    Attributes:
        digest: Of the file as it is stored.
        size: Its bytes.
        diff_id: Digest of the tar in it; the same where it is not compressed.
        media_type: `OCI_LAYER`, with `+zstd` where compressed.
    """

    digest: str
    size: int
    diff_id: str
    media_type: str = OCI_LAYER

    def descriptor(self) -> dict[str, Any]:
        """How a manifest refers to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Settings:
    """How a container of the image runs, unless told otherwise.

    Attributes:
        entrypoint: The program and its first words.
        command: The words after them, which a pod's `args` replace.
        environment: Its variables.
        user: `uid:gid`, numbers, so that a cluster can see that it is not root.
        folder: The working directory.
        ports: That it listens on, TCP.
        labels: About the image.
    """

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    user: str = ""
    folder: str = ""
    ports: tuple[int, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def as_config(self) -> dict[str, Any]:
        """As the image's configuration has it; what is empty is left out."""
        said: dict[str, Any] = {
            "Cmd": list(self.command),
            "Entrypoint": list(self.entrypoint),
            "Env": [f"{name}={value}" for name, value in sorted(self.environment.items())],
            "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
            "Labels": dict(self.labels),
            "User": self.user,
            "WorkingDir": self.folder,
        }
        return {name: value for name, value in said.items() if value}


def split_platform(platform: str) -> tuple[str, str]:
    """`linux/arm64` as its two parts.

    Raises:
        UsageError: not of the form `os/architecture`.
    """
    os_name, slash, architecture = platform.partition("/")
    if not (slash and os_name and architecture) or "/" in architecture:
        raise UsageError(f"not a platform: {platform!r}", why="expected os/architecture, for example linux/arm64")
    return os_name, architecture


def documents(platform: str, settings: Settings, layers: Sequence[Layer], *, epoch: int = 0) -> tuple[bytes, bytes]:
    """The configuration and the manifest of an image of these layers, as bytes.

    Args:
        platform: `os/architecture`.
        settings: How it runs.
        layers: From the lowest to the topmost.
        epoch: When it was made, in seconds since 1970.

    Raises:
        UsageError: `platform` is not of that form.
    """
    os_name, architecture = split_platform(platform)
    config = as_json(
        {
            "architecture": architecture,
            "config": settings.as_config(),
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "os": os_name,
            "rootfs": {"diff_ids": [layer.diff_id for layer in layers], "type": "layers"},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [layer.descriptor() for layer in layers],
    }
    return config, as_json(manifest)


def index(manifest: bytes, annotations: Mapping[str, str] | None = None) -> bytes:
    """The `index.json` of a layout that holds one image; the annotations are what tools name it by."""
    entry: dict[str, Any] = {"mediaType": OCI_MANIFEST, "digest": digest_of(manifest), "size": len(manifest)}
    if annotations:
        entry["annotations"] = dict(annotations)
    return as_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})


def write_layout(
    folder: Path, platform: str, files: Mapping[str, bytes], labels: Mapping[str, str] | None = None
) -> str:
    """Write an image of one layer to `folder` as an OCI layout.

    Args:
        folder: Made if needed.
        platform: `os/architecture`, for example `linux/arm64`.
        files: Content by path inside of the image, relative.
        labels: Of its configuration, besides its title.

    Returns:
        The digest of the image's manifest.

    Raises:
        UsageError: `platform` is not of that form.
    """
    content = _tar(files)
    layer = Layer(digest_of(content), len(content), digest_of(content))
    settings = Settings(labels={TITLE: "floe platform proof", **(labels or {})})
    config, manifest = documents(platform, settings, [layer])
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for blob in (content, config, manifest):
        (blobs / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
    (folder / "index.json").write_bytes(index(manifest))
    (folder / "oci-layout").write_bytes(LAYOUT_MARKER)
    return digest_of(manifest)


def digest_of(content: bytes) -> str:
    """`sha256:` and the checksum in hex."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def as_json(value: dict[str, Any]) -> bytes:
    """Always the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()

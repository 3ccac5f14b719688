"""Writes tiny, valid, reproducible container images as OCI image layouts, with no container engine.

Contract: the OCI Image Specification 1.1 (layout, manifest, configuration). Equal inputs give equal bytes, so equal
digests: entries sorted, times zero, owner root, the layer left uncompressed because compressors differ by version.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from floe_core.errors import UsageError

from floe_ops.clients.registry import OCI_INDEX, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EPOCH = "1970-01-01T00:00:00Z"


def write_layout(folder: Path, platform: str, files: Mapping[str, bytes]) -> str:
    """Write an image of one layer to `folder` as an OCI layout.

    Args:
        folder: Made if needed.
        platform: `os/architecture`, for example `linux/arm64`.
        files: Content by path inside of the image, relative.

    Returns:
        The digest of the image's manifest.

    Raises:
        UsageError: `platform` is not of that form.
    """
    os_name, slash, architecture = platform.partition("/")
    if not (slash and os_name and architecture) or "/" in architecture:
        raise UsageError(f"not a platform: {platform!r}", why="expected os/architecture, for example linux/arm64")
    layer = _tar(files)
    config = {
        "architecture": architecture,
        "config": {"Labels": {"org.opencontainers.image.title": "floe platform proof"}},
        "created": _EPOCH,
        "os": os_name,
        "rootfs": {"diff_ids": [_digest(layer)], "type": "layers"},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _put(folder, _json(config), "application/vnd.oci.image.config.v1+json"),
        "layers": [_put(folder, layer, "application/vnd.oci.image.layer.v1.tar")],
    }
    entry = _put(folder, _json(manifest), OCI_MANIFEST)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    (folder / "index.json").write_bytes(_json(index))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return str(entry["digest"])


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _put(folder: Path, content: bytes, media_type: str) -> dict[str, Any]:
    """Store a blob under its digest; gives its descriptor."""
    digest = _digest(content)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

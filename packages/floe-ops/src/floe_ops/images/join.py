"""Joins platform images into ONE image index, by digest: nothing is rebuilt, nothing runs under emulation.

The public Cube Store image is amd64 only and arm64 is published under a separate tag, so a multi-platform image is
made of two that exist. Who does what: crane copies the blobs and writes the index (mounting between repositories and
the registries' logins are its trade); looking at the sources before, and verifying the result after, is Python over
the registry's HTTP API, so that crane does not testify for itself.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, NotReadyError, UsageError, WrongStateError

from floe_ops.clients.registry import Document, Reference, RegistryClient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLATFORMS = ("linux/amd64", "linux/arm64")
"""What the index must hold: no more, no less."""

PUSH_TIMEOUT_S = 900.0
"""Seconds for copying the blobs of real images between registries."""


class TagRefusedError(UsageError):
    """The tag of the index is missing or floats."""


class MissingPlatformError(WrongStateError):
    """A platform that is asked for is not there."""


class WrongArchitectureError(WrongStateError):
    """An image's own configuration says another platform than is claimed for it."""


class IndexMismatchError(WrongStateError):
    """The index that the registry serves is not the one that was joined."""


@dataclass(frozen=True)
class PlatformImage:
    """One image of one platform, pinned.

    Attributes:
        platform: `os/architecture`.
        source: Repository and digest.
        digest: The digest of its manifest.
        size: Bytes of its configuration and layers together.
    """

    platform: str
    source: str
    digest: str
    size: int


@dataclass(frozen=True)
class JoinedIndex:
    """An index that was pulled back and found right; its digest is empty when nothing was pushed (a dry run)."""

    reference: str
    digest: str
    images: tuple[PlatformImage, ...]

    def sentence(self) -> str:
        """One line of evidence, with every digest."""
        parts = " and ".join(f"{image.platform} {image.digest}" for image in self.images)
        return f"{self.reference} = index {self.digest} of {parts}"


def checked_target(text: str) -> Reference:
    """The reference to push an index to: an explicit tag, never `latest`, no digest.

    Raises:
        TagRefusedError: the tag is missing or `latest`.
        UsageError: not a reference, or it carries a digest.
    """
    target = Reference.parse(text)
    if target.digest:
        raise UsageError(f"cannot push to {text}", why="a digest is a result, not a name", remedy="give a tag instead")
    if target.tag in {"", "latest"}:
        raise TagRefusedError(
            f"refused to push to {text}",
            why="`latest` says nothing about what is inside" if target.tag else "no tag given",
            remedy="give the version as tag, for example :1.3.78",
        )
    return target


def inspect(source: Reference, platform: str) -> PlatformImage:
    """Pin `source` to the one image of `platform` and check what its own configuration says.

    `source` may be an image or an index that holds one for the platform.

    Raises:
        MissingPlatformError: it is an index without that platform.
        WrongArchitectureError: the image is of another platform.
        RegistryUnreachableError, ImageMissingError, DigestMismatchError: see the client.
    """
    with RegistryClient(source.host) as registry:
        found = registry.document(source.name, source.target)
        if found.is_index:
            found = registry.document(source.name, _entry(found, platform, str(source))["digest"])
        _check_platform(registry, source.name, found, platform)
    parts = [found.body["config"], *found.body["layers"]]
    size = sum(int(part["size"]) for part in parts)
    return PlatformImage(platform, source.at(found.digest), found.digest, size)


def join(images: Mapping[str, Reference], to: str, *, crane: Path | None, deep: bool = False) -> JoinedIndex:
    """Make the index `to` of one image a platform, pull it back and verify it; safe to repeat.

    Args:
        images: The source of each platform of `PLATFORMS`.
        to: Registry, name and tag of the index.
        crane: The tool; None plans only (a dry run): sources are checked, nothing is written.
        deep: Whether verification reads every layer and hashes it, not only asks for its size.

    Raises:
        MissingPlatformError: a platform has no source.
        TagRefusedError, WrongArchitectureError, IndexMismatchError: see there.
        WrongStateError: crane could not write the index.
    """
    target = checked_target(to)
    missing = [platform for platform in PLATFORMS if platform not in images]
    if missing:
        raise MissingPlatformError(
            f"no image for {', '.join(missing)}", where=to, remedy=f"give one image for each of {', '.join(PLATFORMS)}"
        )
    pinned = tuple(inspect(images[platform], platform) for platform in PLATFORMS)
    if crane is None:
        return JoinedIndex(str(target), "", pinned)
    words = [word for image in pinned for word in ("--manifest", image.source)]
    run_crane(crane, "index", "append", *words, "--tag", str(target))
    return verify(target, pinned, deep=deep)


def verify(target: Reference, images: tuple[PlatformImage, ...], *, deep: bool = False) -> JoinedIndex:
    """Pull the index back and compare: exactly these platforms, exactly these digests, every blob there.

    Raises:
        IndexMismatchError: it is no index, or its platforms or digests differ.
        WrongArchitectureError: an image in it is of another platform than the index claims.
        ImageMissingError, DigestMismatchError: a manifest or blob is missing or damaged.
    """
    with RegistryClient(target.host) as registry:
        index = registry.document(target.name, target.target)
        _check_entries(index, target, images)
        for image in images:
            manifest = registry.document(target.name, image.digest)
            _check_platform(registry, target.name, manifest, image.platform)
            for layer in manifest.body["layers"]:
                read = registry.read_blob if deep else registry.blob_size
                _check_size(layer, read(target.name, layer["digest"]), image)
    return JoinedIndex(str(target), index.digest, images)


def run_crane(crane: Path, *words: str) -> str:
    """Run crane and give its standard output.

    Raises:
        MissingToolError: it cannot be started.
        NotReadyError: it took longer than `PUSH_TIMEOUT_S`.
        WrongStateError: it failed; `why` is the last thing it said.
    """
    command = [str(crane), *words]
    shown = " ".join(["crane", *words])
    try:
        done = subprocess.run(  # noqa: S603 - the pinned tool; the words are parsed references and fixed options
            command, capture_output=True, text=True, timeout=PUSH_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise MissingToolError(
            "cannot start crane", where=str(crane), why=str(error), remedy="run `invoke platform.doctor`"
        ) from error
    except subprocess.TimeoutExpired:
        raise NotReadyError("crane did not end in time", where=shown, why=f"over {PUSH_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        raise WrongStateError("crane failed", where=shown, why=done.stderr.strip()[-400:])
    return done.stdout.strip()


def _platform(descriptor: Mapping[str, Any]) -> str:
    """`os/architecture` of a descriptor or of a configuration; the variant (arm64's v8) makes no other platform."""
    return f"{descriptor.get('os', '?')}/{descriptor.get('architecture', '?')}"


def _entry(index: Document, platform: str, shown: str) -> Mapping[str, Any]:
    entries: list[Mapping[str, Any]] = index.body.get("manifests", [])
    matching = [entry for entry in entries if _platform(entry.get("platform", {})) == platform]
    if not matching:
        there = ", ".join(sorted({_platform(entry.get("platform", {})) for entry in entries})) or "nothing"
        raise MissingPlatformError(f"{shown} has no {platform}", where=shown, why=f"it holds {there}")
    return matching[0]


def _check_platform(registry: RegistryClient, name: str, manifest: Document, platform: str) -> None:
    shown = f"{registry.host}/{name}@{manifest.digest}"
    if "config" not in manifest.body:
        raise IndexMismatchError("not an image", where=shown, why=f"its media type is {manifest.media_type}")
    says = _platform(registry.json_blob(name, manifest.body["config"]["digest"]))
    if says != platform:
        raise WrongArchitectureError(
            f"refused {shown} as {platform}",
            where=shown,
            why=f"its own configuration says {says}",
            remedy=f"give the image that was built for {platform}",
        )


def _check_entries(index: Document, target: Reference, images: tuple[PlatformImage, ...]) -> None:
    if not index.is_index:
        raise IndexMismatchError("not an image index", where=str(target), why=f"its media type is {index.media_type}")
    served = sorted(
        (_platform(entry.get("platform", {})), entry["digest"]) for entry in index.body.get("manifests", [])
    )
    wanted = sorted((image.platform, image.digest) for image in images)
    if served != wanted:
        raise IndexMismatchError(
            "the index is not the one that was joined",
            where=str(target),
            why=f"wanted {wanted}, the registry has {served}",
        )


def _check_size(layer: Mapping[str, Any], seen: int, image: PlatformImage) -> None:
    if seen != layer["size"]:
        raise IndexMismatchError(
            "a layer is not whole", where=image.source, why=f"{layer['digest']}: {seen} bytes of {layer['size']}"
        )

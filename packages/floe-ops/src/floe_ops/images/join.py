"""Joins platform images into ONE image index, by digest: nothing is rebuilt, nothing runs under emulation.

The public Cube Store image is amd64 only and arm64 is published under a separate tag, so a multi-platform image is
made of two that exist: of one version, which their labels must say (see `versions`). Who does what: crane copies the
blobs and writes the index (mounting between repositories and the registries' logins are its trade); looking at the
sources before, and verifying the result after, is Python over the registry's HTTP API, so that crane does not testify
for itself.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from floe_core.errors import CredentialsRefusedError, MissingToolError, NotReadyError, UsageError, WrongStateError

from floe_ops.clients.registry import Document, ImageMissingError, Reference, RegistryClient
from floe_ops.images import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLATFORMS = ("linux/amd64", "linux/arm64")
"""What the index must hold: no more, no less."""

PUSH_TIMEOUT_S = 900.0
"""Seconds for copying the blobs of real images between registries."""


class TagRefusedError(UsageError):
    """A tag is missing, or it is `latest`, which names nothing."""


class TagTakenError(WrongStateError):
    """The tag of the index names another image already."""


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
        version: What its labels say; empty where they say nothing.
    """

    platform: str
    source: str
    digest: str
    size: int
    version: str


@dataclass(frozen=True)
class JoinedIndex:
    """An index that was pulled back and found right.

    Attributes:
        reference: Registry, name and tag.
        digest: Of the index; empty in a dry run.
        images: One a platform.
        pushed: Whether this run wrote it; false where the registry had it whole, and in a dry run.
    """

    reference: str
    digest: str
    images: tuple[PlatformImage, ...]
    pushed: bool = False

    def sentence(self) -> str:
        """One line of evidence, with every digest and version."""
        parts = " and ".join(
            f"{image.platform} {image.digest} ({image.version or 'version unknown'})" for image in self.images
        )
        return f"{self.reference} = index {self.digest} of {parts}"


@dataclass(frozen=True)
class Rules:
    """What a caller may decide about an index.

    Attributes:
        version: What both images must state; empty holds them to each other.
        allow_unlabelled: Let an image pass that states no version.
        replace: Let the tag move when it names another image already.
    """

    version: str = ""
    allow_unlabelled: bool = False
    replace: bool = False


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


def checked_source(source: Reference) -> Reference:
    """The reference to take an image from: a digest, or a tag that names a version.

    Raises:
        TagRefusedError: it has neither, or its tag is `latest`.
    """
    if not source.digest and source.tag in {"", "latest"}:
        raise TagRefusedError(
            f"refused to take {source}",
            why="`latest` is another image tomorrow" if source.tag else "no tag and no digest given",
            remedy="give the digest, as name@sha256:…, or the tag of a version",
        )
    return source


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
        configuration = _configuration(registry, source.name, found, platform)
    parts = [found.body["config"], *found.body["layers"]]
    size = sum(int(part["size"]) for part in parts)
    version = versions.stated(configuration, found.body)
    return PlatformImage(platform, source.at(found.digest), found.digest, size, version)


def join(
    images: Mapping[str, Reference], to: str, *, crane: Path | None, rules: Rules | None = None, deep: bool = False
) -> JoinedIndex:
    """Make the index `to` of one image a platform, pull it back and verify it; a second run pushes nothing.

    Args:
        images: The source of each platform of `PLATFORMS`; a tag is resolved to its digest once, here.
        to: Registry, name and tag of the index.
        crane: The tool; None plans only (a dry run): sources are checked, nothing is written.
        rules: What the caller decides about versions and tags; None takes the strictest.
        deep: Whether verification reads every layer and hashes it, not only asks for its size.

    Raises:
        MissingPlatformError: a platform has no source.
        TagRefusedError, TagTakenError, WrongArchitectureError, IndexMismatchError: see there.
        UnlabelledImageError, VersionMismatchError: see `versions`.
        WrongStateError: crane could not write the index.
    """
    rules = rules or Rules()
    target = checked_target(to)
    missing = [platform for platform in PLATFORMS if platform not in images]
    if missing:
        raise MissingPlatformError(
            f"no image for {', '.join(missing)}", where=to, remedy=f"give one image for each of {', '.join(PLATFORMS)}"
        )
    sources = {platform: checked_source(images[platform]) for platform in PLATFORMS}
    pinned = tuple(inspect(source, platform) for platform, source in sources.items())
    stated = {image.platform: image.version for image in pinned}
    versions.check(stated, wanted=rules.version, allow_unlabelled=rules.allow_unlabelled)
    if crane is None:
        return JoinedIndex(str(target), "", pinned)
    there = _published(target, pinned, deep=deep, may_replace=rules.replace)
    if there is not None:
        return there
    for image in pinned:  # one by one: where the index is there, appending to it pushes no image that was lost
        run_crane(crane, "copy", image.source, target.at(image.digest))
    words = [word for image in pinned for word in ("--manifest", target.at(image.digest))]
    run_crane(crane, "index", "append", *words, "--tag", str(target))
    return replace(verify(target, pinned, deep=deep), pushed=True)


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
            _configuration(registry, target.name, manifest, image.platform)
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


def _published(
    target: Reference, images: tuple[PlatformImage, ...], *, deep: bool, may_replace: bool
) -> JoinedIndex | None:
    """The index, if the registry has it whole already; None where it is still to be pushed."""
    with RegistryClient(target.host) as registry:
        try:
            index = registry.document(target.name, target.target)
        except (ImageMissingError, CredentialsRefusedError):
            # Some registries deny what does not exist; were the login wrong, the push would say so.
            return None
    try:
        _check_entries(index, target, images)
    except IndexMismatchError as error:
        if may_replace:
            return None
        raise TagTakenError(
            f"{target} is another image already",
            where=str(target),
            why=error.why,
            remedy="give another tag, or --replace to move this one under those who use it",
        ) from error
    try:
        return verify(target, images, deep=deep)
    except (ImageMissingError, IndexMismatchError):
        return None  # a piece is missing: pushing again makes it whole


def _configuration(registry: RegistryClient, name: str, manifest: Document, platform: str) -> Mapping[str, Any]:
    """An image's own configuration, which must be of `platform`."""
    shown = f"{registry.host}/{name}@{manifest.digest}"
    if "config" not in manifest.body:
        raise IndexMismatchError("not an image", where=shown, why=f"its media type is {manifest.media_type}")
    configuration = registry.json_blob(name, manifest.body["config"]["digest"])
    says = _platform(configuration)
    if says != platform:
        raise WrongArchitectureError(
            f"refused {shown} as {platform}",
            where=shown,
            why=f"its own configuration says {says}",
            remedy=f"give the image that was built for {platform}",
        )
    return configuration


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

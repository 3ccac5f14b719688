"""What version an image says it is of, and whether two of them may stand in one index.

The tag under which a platform is published may float, so two images of one product can be of two versions. The only
thing in an image that tells is a label (or the same key as annotation of its manifest) which its build wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION_LABELS = ("org.opencontainers.image.version", "org.label-schema.version", "version")
"""Labels that name a version, the standard one first: OCI's, its predecessor's, and the one of Red Hat's images."""


class VersionMismatchError(WrongStateError):
    """Two images are of different versions, or of another than was asked for."""


class UnlabelledImageError(WrongStateError):
    """An image does not say of which version it is."""


def stated(configuration: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The version that an image states: a label of its configuration, else an annotation of its manifest, else empty.

    Contract: the annotation keys of the OCI Image Specification 1.1, which builders write in either place.
    """
    labels = (configuration.get("config") or {}).get("Labels") or {}
    for said in (labels, manifest.get("annotations") or {}):
        for label in VERSION_LABELS:
            if version := str(said.get(label) or "").strip():
                return version
    return ""


def check(versions: Mapping[str, str], *, wanted: str = "", allow_unlabelled: bool = False) -> None:
    """Hold the versions of images, by what they are called, to each other and to the one that is wanted.

    Args:
        versions: What each image states; empty where it states none.
        wanted: What all must be; empty compares them with each other only.
        allow_unlabelled: Let an image pass that states none; one that states another version never does.

    Raises:
        UnlabelledImageError: one states none.
        VersionMismatchError: they differ.
    """
    silent = [name for name, version in versions.items() if not version]
    if silent and not allow_unlabelled:
        raise UnlabelledImageError(
            f"no version is known of {', '.join(silent)}",
            why=f"none of the labels {', '.join(VERSION_LABELS)} is set, and a tag that floats may hold any version",
            remedy="give images that state it, or --allow-unlabelled when you know it from elsewhere",
        )
    told = {name: version for name, version in versions.items() if version}
    if len({*told.values(), *([wanted] if wanted else [])}) > 1:
        said = ", ".join(f"{name} is {version}" for name, version in told.items())
        raise VersionMismatchError(
            "the images are of different versions" if not wanted else f"the images are not all of version {wanted}",
            why=said,
            remedy="give the digests of one version for both platforms",
        )

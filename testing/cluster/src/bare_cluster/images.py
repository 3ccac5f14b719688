"""Images of a cluster: which the archives hold, which are there, and the way in."""

from __future__ import annotations

import json
import subprocess  # nosec B404 - ctr is a program
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, UsageError

from bare_cluster.daemons import SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bare_cluster.processes import Process

NAMESPACE = "k8s.io"
FULL_NAME, SHORT_NAME = "io.containerd.image.name", "org.opencontainers.image.ref.name"
ADDONS = ("pause", "coredns", "local-path-provisioner", "busybox")
"""The images that a cluster itself is made of."""
LOAD_S = 600


@dataclass(frozen=True, order=True)
class Image:
    """One image: under which reference, and the digest of its manifest (or of its index)."""

    reference: str
    digest: str

    @property
    def name(self) -> str:
        """The last part of the repository: `coredns` of `localhost/coredns:1.14.1`."""
        return self.reference.rsplit("/", 1)[-1].split("@")[0].split(":")[0]


def held(archive: Path) -> list[Image]:
    """The images that an OCI archive holds under a full reference.

    Raises:
        UsageError: It is no such archive.
    """
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile("index.json")
            index = json.load(file) if file else {}
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise _no_archive(archive, str(error)) from None
    found = []
    for entry in index.get("manifests", []):
        notes = entry.get("annotations", {})
        reference = notes.get(FULL_NAME) or notes.get(SHORT_NAME, "")
        if "/" in reference:
            found.append(Image(reference, entry["digest"]))
    if not found:
        raise _no_archive(archive, f"no manifest in its index has a full name ({FULL_NAME})")
    return found


def _no_archive(archive: Path, why: str) -> UsageError:
    return UsageError(
        "an image archive cannot be read",
        where=str(archive),
        why=why,
        remedy="give a tar archive in the OCI layout, as `skopeo copy … oci-archive:` or floe's own builder makes it",
    )


def objection(first: Process) -> str:
    """What keeps containerd from taking images; empty when nothing does."""
    try:
        _ctr(first, "version")
    except FloeError as error:
        return f"containerd does not answer: {error.why}"
    return ""


def present(first: Process) -> list[Image]:
    """The images of the cluster whose first process this is."""
    lines = _ctr(first, "images", "ls").splitlines()[1:]
    return parse(lines)


def parse(lines: Iterable[str]) -> list[Image]:
    """The images in the lines that `ctr images ls` prints below its header."""
    rows = (line.split() for line in lines)
    return [Image(row[0], row[2]) for row in rows if len(row) > 2 and row[2].startswith("sha256:")]  # noqa: PLR2004 - name, type, digest


def load(first: Process, archives: Iterable[Path]) -> list[Image]:
    """Bring the images of the archives in; returns those that were not there yet.

    Raises:
        FloeError: containerd does not take one.
        UsageError: A file is no archive of images.
    """
    wanted = [(archive, held(archive)) for archive in archives]
    there = set(present(first))
    new: list[Image] = []
    for archive, images in wanted:
        if not there.issuperset(images):
            _ctr(first, "images", "import", str(archive))
            new += [image for image in images if image not in there]
    return new


def _ctr(first: Process, *words: str) -> str:
    socket = f"/proc/{first.pid}/root{SOCKET}"  # its /run is another one than ours
    command = ["ctr", "--address", socket, "--namespace", NAMESPACE, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_S, check=False)  # noqa: S603  # nosec B603 - containerd's own client, no shell
    if done.returncode != 0:
        raise FloeError(
            "containerd refuses what it was asked",
            where="ctr " + " ".join(words),
            why=done.stderr.strip()[-600:],
            remedy="`bare-cluster status` tells whether containerd runs, `bare-cluster logs containerd` what it says",
        )
    return done.stdout

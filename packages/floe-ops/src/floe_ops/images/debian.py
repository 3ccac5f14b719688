"""File systems of Debian packages: resolved and verified by apt, unpacked, and no script of theirs run.

What a package's scripts would have made and an image needs (users, the certificates in one file) is made here. The
machine's own apt sources for the release are used where it has some, so that nothing here names a mirror.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, WrongStateError

from floe_ops.images import programs

if TYPE_CHECKING:
    from collections.abc import Sequence

SUITE = "bookworm"
APT = Path("/etc/apt")
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# What no container reads. Copyright files stay: the licences ask for them.
PRUNED = (
    "etc/[!epgns]*",
    "etc/apt",
    "etc/gss",
    "etc/rmt",
    "usr/lib/*/audit",
    "usr/lib/*/perl*",
    "usr/lib/dpkg",
    "usr/lib/lsb",
    "usr/lib/systemd",
    "usr/lib/tmpfiles.d",
    "usr/lib/udev",
    "usr/bin/*perl*",
    "usr/bin/deb*",
    "usr/bin/dpkg*",
    "usr/bin/update-alternatives",
    "usr/sbin/*",
    "usr/share/[!cdpz]*",
    "usr/share/debconf",
    "usr/share/dpkg",
    "usr/share/perl*",
    "usr/share/pixmaps",
    "usr/share/polkit-1",
    "usr/share/postgresql-common",
    "usr/share/pam*",
    "usr/share/doc-base",
    "usr/share/zoneinfo/posix",
    "usr/share/zoneinfo/right",
    "usr/share/doc/*/[!c]*",
    "usr/share/doc/*/changelog*",
    "var/*",
)
NOTES = "var/lib/dpkg/status.d"
"""A file for each package with its name and version, as images without dpkg have it: scanners know packages by it."""
KEPT = ("usr/share/ca-certificates", "usr/share/locale/locale.alias", NOTES)
NOTE = f"""
mkdir -p "$1/{NOTES}"
for package in "$1"/var/cache/apt/archives/*.deb; do
    name=$(dpkg-deb --field "$package" Package)
    dpkg-deb --field "$package" Package Version Architecture Source Maintainer > "$1/{NOTES}/$name"
done
"""
KEY = (SUITE, NOTE, *PRUNED, *KEPT)
"""What decides the files besides the names of the packages."""


def available() -> bool:
    """Whether images of Debian packages can be made here."""
    return shutil.which("mmdebstrap") is not None


def unpack(packages: Sequence[str], root: Path, *, pruned: Sequence[str] = ()) -> None:
    """Unpack the packages, and all that they depend on, into the empty folder `root`.

    Args:
        packages: Names.
        root: Made if needed; what is left is what an image needs.
        pruned: Patterns of further paths to leave out.

    Raises:
        MissingToolError: There is no mmdebstrap, or apt cannot have the packages.
        NotReadyError: It did not end in a quarter of an hour.
        WrongStateError: A package is damaged, or would write outside of `root`.
    """
    program = shutil.which("mmdebstrap")
    if program is None:
        raise MissingToolError(
            "an image of Debian packages cannot be made",
            where="PATH",
            why="there is no mmdebstrap",
            remedy="run `bare-cluster prepare`, or install the package mmdebstrap",
        )
    packed = root.with_name(f"{root.name}.tar")
    options = ["--variant=extract", "--quiet", f"--include={','.join(packages)}", "--skip=check/empty"]
    options.append(f"--extract-hook={NOTE}")
    _run([program, *options, SUITE, str(packed), *map(str, sources())])
    try:
        with tarfile.open(packed) as archive:
            archive.extractall(root, (member for member in archive if not _unwanted(member, pruned)), filter="tar")  # nosec B202 - the filter keeps members below root
    except tarfile.TarError as error:
        raise WrongStateError(
            "the Debian packages of an image cannot be unpacked", where=str(packed), why=str(error)
        ) from error
    packed.unlink()
    _join_certificates(root)


def sources() -> list[Path]:
    """This machine's own files of apt sources for the release, in apt's order; none means mmdebstrap's default."""
    found = [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*.list"))]
    found += sorted((APT / "sources.list.d").glob("*.sources"))
    says = re.compile(rf"^\s*(?:deb|Suites:)\s(?:.*\s)?{SUITE}(?:\s|$)", re.MULTILINE)
    return [file for file in found if file.is_file() and says.search(file.read_text(encoding="utf-8"))]


def _run(words: list[str]) -> None:
    done = programs.run(words)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()
        raise MissingToolError(
            "the Debian packages of an image cannot be had",
            where="mmdebstrap",
            why="; ".join(lines[:3])[-600:],
            remedy="make a Debian mirror reachable for apt (its sources in /etc/apt, or http_proxy)",
        )


def _unwanted(member: tarfile.TarInfo, more: Sequence[str]) -> bool:
    path = str(PurePosixPath(member.name))
    if member.isdev() or any(path == kept or path.startswith(f"{kept}/") for kept in KEPT):
        return member.isdev()
    above = [path, *map(str, PurePosixPath(path).parents)]
    return any(fnmatch(part, pattern) for part in above for pattern in (*PRUNED, *more))


def _join_certificates(root: Path) -> None:
    """The trusted certificates as the one file that every library reads."""
    separate = root / "usr/share/ca-certificates"
    if separate.is_dir():
        joined = b"".join(file.read_bytes().rstrip() + b"\n" for file in sorted(separate.rglob("*.crt")))
        (root / CERTIFICATES).parent.mkdir(parents=True, exist_ok=True)
        (root / CERTIFICATES).write_bytes(joined)
        shutil.rmtree(separate)

"""Jars that Spark needs beyond its own: pinned by hash, fetched once by their coordinates, checked before every use.

Apache Ivy, which comes with Spark, fetches them from where it always does, or from where the settings file that
FLOE_IVY_SETTINGS names says. Where they come from does not matter: a file with another hash is refused. A machine
without a network takes them from a copy of the tools' folder.
"""

from __future__ import annotations

import os
import subprocess  # nosec B404 - java is a program
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from filelock import FileLock
from floe_core.errors import MissingToolError, WrongStateError

from floe_ops.toolchain import store
from floe_ops.toolchain.tools import folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from floe_ops.toolchain.java import Java

FETCH_S = 600
SPACE_MB = 400
SHOWN = 300
SETTINGS_ENV: Final = "FLOE_IVY_SETTINGS"


@dataclass(frozen=True)
class Jar:
    """One jar.

    Attributes:
        group: The organisation in its coordinates.
        artifact: Its name.
        version: Its version.
        sha256: What its bytes add up to.
    """

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file name."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


ICEBERG: Final = (
    Jar(
        "org.apache.iceberg",
        "iceberg-spark-runtime-4.0_2.13",
        "1.11.0",
        "63c3b812549dc232c1920865ff42436df8604a9bbacd693930985c06bd97e6dc",
    ),
    Jar(
        "org.apache.iceberg",
        "iceberg-aws-bundle",
        "1.11.0",
        "38f01da7e96850cdd05e6616d758b77b43314b712a8808e3f9a824d56976162f",
    ),
)
"""Iceberg for Spark 4.0, and its S3 client with all that this needs."""


def place(jar: Jar) -> Path:
    """Where a jar is once it is there."""
    return folder() / "jars" / jar.artifact / jar.file


def ensure(jars: Sequence[Jar], java: Java, ivy: Path) -> tuple[Path, ...]:
    """The jars' files, fetched if need be; their hashes are checked now.

    Args:
        jars: What is wanted.
        java: What runs Ivy.
        ivy: Ivy's own jar.

    Raises:
        FloeError: The folder of the tools cannot be written to, or the disk is full.
        MissingToolError: One cannot be fetched.
        NotReadyError: Another process does not finish fetching.
        WrongStateError: What was fetched is not what is pinned.
    """
    with store.writable(folder(), SPACE_MB), FileLock(folder() / ".jars.lock", timeout=FETCH_S):
        for jar in jars:
            if not _is_there(jar):
                place(jar).parent.parent.mkdir(exist_ok=True)
                with store.making(place(jar).parent, jar.file, {"from": str(jar)}) as temporary:
                    _fetch(jar, java, ivy, temporary)
                    _check(jar, temporary / jar.file)
    return tuple(place(jar) for jar in jars)


def _is_there(jar: Jar) -> bool:
    file = place(jar)
    return file.is_file() and store.checksum(file) == jar.sha256


def _check(jar: Jar, file: Path) -> None:
    found = store.checksum(file)
    if found != jar.sha256:
        raise WrongStateError(
            f"the jar {jar} is not what is pinned",
            where=file.name,
            why=f"its SHA-256 is {found}, pinned is {jar.sha256}",
            remedy="do not use it: look at where Ivy fetched it from, and at `git log` of the pin",
        )


def _fetch(jar: Jar, java: Java, ivy: Path, target: Path) -> None:
    options = ["-warn", "-notransitive", "-confs", "default", "-cache", str(target / "cache")]
    if named := os.environ.get(SETTINGS_ENV):
        options += ["-settings", named]
    wanted = ["-dependency", jar.group, jar.artifact, jar.version]
    kept = ["-retrieve", str(target / "[artifact]-[revision].[ext]")]
    command = [str(java.path), "-Xmx256m", "-cp", str(ivy), "org.apache.ivy.Main", *options, *wanted, *kept]
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - the java just found, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FETCH_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise _not_had(jar, f"Ivy did not finish within {FETCH_S} s") from None
    if done.returncode != 0 or not (target / jar.file).is_file():
        raise _not_had(jar, " ".join(f"{done.stdout} {done.stderr}".split())[:SHOWN] or "Ivy said nothing")


def _not_had(jar: Jar, why: str) -> MissingToolError:
    return MissingToolError(
        f"the jar {jar} cannot be fetched",
        where=f"Apache Ivy's default resolvers, or those of {SETTINGS_ENV}",
        why=why,
        remedy=f"connect to a network with Maven artifacts, or copy the file to {place(jar)}",
    )

"""Which server to start for Polaris's protocol: an Apache Polaris on this machine, or the stand-in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # nosec B404 - asks java for its version
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops.targets.local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_ops.targets.interface import CatalogKind

JAVA_NEEDED = 21
JAR = "quarkus-run.jar"
# A binary distribution holds the server below `server/`; a build of the sources leaves a `quarkus-app/`.
JAR_FOLDERS = ("", "server", "quarkus-app", "server/quarkus-app")


@dataclass(frozen=True)
class CatalogServer:
    """A catalog server to start here: its kind, and the command up to its ports."""

    kind: CatalogKind
    program: list[str]

    def command(self, port: int, management: int, state: Path) -> list[str]:
        """The command that serves on `port` and answers health on `management`; never holds a secret."""
        if self.kind == "stand-in":
            ports = ["--port", str(port), "--management-port", str(management)]
            return [*self.program, "--host", HOST, *ports, "--state", str(state)]
        settings = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": port,
            "quarkus.management.host": HOST,
            "quarkus.management.port": management,
            "quarkus.log.file.enabled": "false",
            "quarkus.otel.sdk.disabled": "true",
        }
        java, *rest = self.program
        return [java, *(f"-D{name}={value}" for name, value in settings.items()), *rest]


def server(environ: Mapping[str, str]) -> CatalogServer:
    """The server to start here: the one in `FLOE_POLARIS_HOME`, else the stand-in of this environment.

    Raises:
        MissingToolError: The home holds no server, there is no Java for it, or the stand-in is not installed.
    """
    home = environ.get("FLOE_POLARIS_HOME", "")
    if home:
        return CatalogServer("polaris-home", [str(java(environ)), "-jar", str(_jar(Path(home)))])
    stand_in = Path(sys.prefix) / "bin" / "polaris-standin"
    if not stand_in.is_file():
        raise MissingToolError(
            "there is no catalog server to start",
            where=str(stand_in),
            why="the stand-in is not installed in this environment",
            remedy="run `uv sync`, or set FLOE_POLARIS_URL or FLOE_POLARIS_HOME",
        )
    # -P: the working directory of the service has no say in what is imported
    return CatalogServer("stand-in", [sys.executable, "-P", str(stand_in)])


def java(environ: Mapping[str, str]) -> Path:
    """A Java that is new enough for Apache Polaris, from `JAVA_HOME`, else from PATH.

    Raises:
        MissingToolError: There is none, or it is too old.
    """
    home = environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java", path=environ.get("PATH"))
    remedy = f"install Java {JAVA_NEEDED} or newer and set JAVA_HOME, or unset FLOE_POLARIS_HOME"
    if found is None or not os.access(found, os.X_OK):
        raise MissingToolError(
            "Apache Polaris needs Java, and there is none",
            where=found or "PATH",
            why="FLOE_POLARIS_HOME is set",
            remedy=remedy,
        )
    answer = subprocess.run(  # noqa: S603  # nosec B603 - the user's own Java, no shell
        [found, "-version"], capture_output=True, text=True, timeout=20, check=False
    )
    version = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if version is None or int(version[1]) < JAVA_NEEDED:
        seen = version[1] if version else "something else"
        raise MissingToolError(
            f"Apache Polaris needs Java {JAVA_NEEDED} or newer",
            where=found,
            why=f"it is {seen}",
            remedy=remedy,
        )
    return Path(found)


def _jar(home: Path) -> Path:
    for folder in JAR_FOLDERS:
        jar = home / folder / JAR
        if jar.is_file():
            return jar
    raise MissingToolError(
        "FLOE_POLARIS_HOME holds no Apache Polaris",
        where=str(home),
        why=f"there is no {JAR} in it, nor in {', '.join(folder for folder in JAR_FOLDERS if folder)}",
        remedy="unpack a binary distribution of Apache Polaris 1.4 or newer and point FLOE_POLARIS_HOME at it",
    )

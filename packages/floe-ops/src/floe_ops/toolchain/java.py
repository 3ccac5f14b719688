"""A Java that Spark runs on: the one of JAVA_HOME, else the one on PATH. It is the machine's own; none is fetched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # nosec B404 - java is a program
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import MissingToolError

OLDEST = 17
ASK_S = 20
REMEDY = f"install a Java runtime {OLDEST} or newer, or point JAVA_HOME to one"
_VERSION = re.compile(r'version "(\d+)')


@dataclass(frozen=True)
class Java:
    """A Java program and its major version."""

    path: Path
    version: int


def here() -> Java | None:
    """The Java of this machine, whatever its version."""
    home = os.environ.get("JAVA_HOME")
    named = Path(home) / "bin" / "java" if home else None
    found = str(named) if named is not None and os.access(named, os.X_OK) else shutil.which("java")
    version = _version(found) if found else 0
    return Java(Path(found), version) if found and version else None


def find() -> Java:
    """A Java that is new enough.

    Raises:
        MissingToolError: There is none.
    """
    found = here()
    if found is not None and found.version >= OLDEST:
        return found
    why = f"{found.path} is Java {found.version}" if found is not None else "there is no Java on PATH"
    raise MissingToolError(f"Spark needs Java {OLDEST} or newer", where="JAVA_HOME, PATH", why=why, remedy=REMEDY)


def _version(program: str) -> int:
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - the java just found, no shell
            [program, "-version"], capture_output=True, text=True, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _VERSION.search(done.stderr + done.stdout)
    return int(match[1]) if match else 0

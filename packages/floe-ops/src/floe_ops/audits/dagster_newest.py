"""Whether the package index has a newer Dagster than the pinned one, above all a first 2.x.

uv is asked, by whatever index it is set to use: it resolves the one name, without a lock and without installing.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from importlib import metadata

from floe_core.errors import MissingToolError
from packaging.version import Version

from floe_ops.audits.dagster_api.model import HORIZON
from floe_ops.audits.lock import uv

PACKAGE = "dagster"
_TIMEOUT_S = 60.0
_FOUND = re.compile(rf"^{PACKAGE}==(?P<version>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Newest:
    """What the index has: the newest version, empty where it did not answer, with `why`; and what is installed."""

    version: str
    installed: str
    why: str = ""

    @property
    def is_next_major(self) -> bool:
        """Whether the wait for the version that the audit looks ahead to is over."""
        return bool(self.version) and Version(self.version) >= HORIZON

    def sentence(self) -> str:
        """One line for people."""
        if not self.version:
            return f"the package index did not say which {PACKAGE} is the newest: {self.why}"
        if self.is_next_major:
            return (
                f"{PACKAGE} {self.version} is on the index: {self.installed} and the reason for its pin are out of date"
            )
        return f"the newest {PACKAGE} on the index is {self.version}, installed is {self.installed}; no {HORIZON} yet"


def newest() -> Newest:
    """Ask the index, pre-releases too; one that does not answer is said and is no error.

    Raises:
        MissingToolError: uv cannot be found.
    """
    installed = metadata.version(PACKAGE)
    command = [uv(), "pip", "compile", "--quiet", "--no-deps", "--upgrade", "--prerelease=allow", "-"]
    try:
        done = subprocess.run(  # noqa: S603 - the environment's own uv, arguments fixed here
            command, input=f"{PACKAGE}\n", capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise MissingToolError(
            "the index cannot be asked", why="uv is not there", remedy="start through ./noxw"
        ) from None
    except subprocess.TimeoutExpired:
        return Newest("", installed, f"no answer within {_TIMEOUT_S:g} s")
    found = _FOUND.search(done.stdout)
    if done.returncode != 0 or found is None:
        return Newest("", installed, " ".join(done.stderr.split())[-300:] or "uv said nothing")
    return Newest(found["version"], installed)

"""Runs a program of an image that is being built, in the image's own files and without a network.

What it writes carries the image's paths and the image's Python, never this machine's. Linux's `unshare` does it: as
root directly, else in a user namespace.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, WrongStateError

from floe_ops.images import programs

if TYPE_CHECKING:
    import subprocess  # nosec B404 - a type
    from collections.abc import Mapping, Sequence

KEPT = 600
COMPILE = ("python3", "-m", "compileall", "-q", "-q", "--invalidation-mode", "unchecked-hash")
"""Bytecode that is never held against its source's time: layers carry no times."""

SYSTEM = ("dev", "proc")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# $1 is the root, $2 how many folders follow in pairs of source and place; the command is what is left.
_ENTER = """
root=$1; pairs=$2; shift 2
for part in dev proc; do mount --rbind "/$part" "$root/$part"; done
while [ "$pairs" -gt 0 ]; do mount --bind "$1" "$root/$2"; shift 2; pairs=$((pairs - 1)); done
exec chroot "$root" "$@"
"""


def run(
    root: Path,
    command: Sequence[str],
    *,
    places: Mapping[str, Path] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run `command` with `root` as its file system and return what it printed.

    Args:
        root: The image's files, unpacked.
        command: Its words.
        places: Folders of this machine to be seen in the image, by their path there.
        environment: Its only variables, besides PATH.

    Raises:
        MissingToolError: There is no `unshare`, or this machine forbids it.
        WrongStateError: The program failed; `why` is the last thing it said.
        NotReadyError: It did not end in a quarter of an hour.
    """
    unshare = shutil.which("unshare")
    if unshare is None or not Path("/proc/self/ns").is_dir():
        raise MissingToolError(
            "an image cannot be built here", why="there is no unshare(1)", remedy="build on Linux with util-linux"
        )
    places = places or {}
    for place in (*SYSTEM, "tmp", *places):
        (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    pairs = [word for place, source in places.items() for word in (str(source), place.lstrip("/"))]
    words = [unshare, *user, "--mount", "--net", "--pid", "--fork", "--kill-child", "--", "sh", "-ec", _ENTER, "sh"]
    words += [str(root), str(len(places)), *pairs, *command]
    return _finish(programs.run(words, environment={"PATH": PATH, **(environment or {})}), command[0])


def _finish(done: subprocess.CompletedProcess[str], shown: str) -> str:
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        raise MissingToolError(
            "an image cannot be built here",
            where="unshare",
            why=done.stderr.strip()[-KEPT:],
            remedy="build as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
        )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-KEPT:]
        raise WrongStateError(f"{shown} failed while an image was built", why=said, remedy="see what it says")
    return done.stdout

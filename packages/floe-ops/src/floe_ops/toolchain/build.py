"""Build one tool with Go, showing how far it is.

Go's caches stay the user's own, and no build empties them. The tools have many packages in common, so a cache of its
own for each would make every first build longer, and a changed pin would cost minutes in the place of seconds. Go
itself drops what no build has used for five days; `go clean -cache -modcache` drops all, and no built tool misses it.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess  # nosec B404 - go is a program
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from floe_core.errors import MissingToolError, NotReadyError, WrongStateError

from floe_ops import console, orphans
from floe_ops.toolchain import store
from floe_ops.toolchain.tools import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.toolchain.golang import Go
    from floe_ops.toolchain.tools import Tool

LIMIT_S = 45 * 60
LOOK_S = 0.5
LINE_EVERY_S = 15.0
REACH_S = 4.0
KEPT_LINES = 40
ALTERED = "checksum mismatch"  # of a module against go.sum
MODULES_MISSING = ("module lookup disabled by GOPROXY=off", "dial tcp", "no such host", "connection refused")


def build(tool: Tool, go: Go, output: Path) -> None:
    """Build `tool` to the file `output`.

    Raises:
        FloeError: The disk is full.
        MissingToolError: Modules cannot be fetched, or the build failed.
        NotReadyError: It took longer than three quarters of an hour.
    """
    command = [str(go.path), "build", "-v", *tool.flags, "-o", str(output), tool.package]
    with (
        tempfile.TemporaryDirectory(prefix="scratch.", dir=output.parent) as scratch,
        console.step(f"building {tool.name} with Go {go.version} ({tool.estimate})") as detail,
    ):
        code, said = _run(command, tool, _environment(go, Path(scratch)), detail)
        if code != 0:
            raise _failure(tool, said)


def _run(
    command: list[str], tool: Tool, environment: dict[str, str], detail: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Run go and follow what it prints; returns its exit code and its last lines."""
    process = subprocess.Popen(  # noqa: S603  # nosec B603 - our own command, no shell
        command,
        cwd=tool.source,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - one system call, prepared before the fork
    )
    with process:
        try:
            said = _follow(process, tool, detail)
            return process.wait(), said
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its compilers too
            raise


def _follow(process: subprocess.Popen[bytes], tool: Tool, detail: Callable[[str], None]) -> list[str]:
    said: list[str] = []
    start = shown = time.monotonic()
    done = 0
    for line in _lines(process.stdout):
        now = time.monotonic()
        if line:
            said = [*said[-KEPT_LINES:], line]
            done += not line.startswith(("go:", "#"))
        took = f"{int(now - start) // 60}:{int(now - start) % 60:02d}"
        detail(f"{took}, {done} of about {tool.packages} packages")
        if not console.out().is_terminal and now - shown >= LINE_EVERY_S:
            console.say(f"  {tool.name}: {took} so far, {done} of about {tool.packages} packages")
            shown = now
        if now - start > LIMIT_S:
            raise NotReadyError(
                f"the build of {tool.name} does not end",
                where=str(tool.source),
                why=f"it was given {LIMIT_S // 60} minutes; last line: {said[-1] if said else 'none'}",
                remedy="try again: what is compiled is kept",
            )
    return said


def _lines(pipe: IO[bytes] | None) -> Iterator[str]:
    """Lines as they come, and an empty one every half second in which none came."""
    if pipe is None:
        return
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(LOOK_S):
                yield ""
                continue
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                return
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole if line)


def _environment(go: Go, scratch: Path) -> dict[str, str]:
    """Go's environment: nothing of it decides what is built, and nothing is reported to anybody."""
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "",
        "GOWORK": "off",
        "GOTMPDIR": str(scratch),
    }
    environment |= _go_telemetry_off(go, environment, scratch)
    if not any(environment.get(name) for name in ("HOME", "GOCACHE", "XDG_CACHE_HOME")):
        environment["GOCACHE"] = str(folder() / "go-build")
    if not any(environment.get(name) for name in ("HOME", "GOPATH", "GOMODCACHE")):
        environment["GOMODCACHE"] = str(folder() / "go-mod")
    if not _reachable(_ask(go, "GOPROXY", environment)):
        environment["GOPROXY"] = "off"  # what is cached may do; if not, go says so at once and not after minutes
    return environment


def _go_telemetry_off(go: Go, environment: dict[str, str], scratch: Path) -> dict[str, str]:
    """Go keeps its telemetry mode in a file below XDG_CONFIG_HOME (elsewhere its default sends nothing)."""
    if not sys.platform.startswith("linux"):
        return {}
    mode = scratch / "config" / "go" / "telemetry" / "mode"
    mode.parent.mkdir(parents=True)
    mode.write_text("off", encoding="utf-8")
    return {"XDG_CONFIG_HOME": str(scratch / "config"), "GOENV": _ask(go, "GOENV", environment) or "off"}


def _ask(go: Go, variable: str, environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603  # nosec B603 - the go just found, no shell
        [str(go.path), "env", variable],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout.strip()


def _reachable(proxies: str) -> bool:
    """Whether the first module proxy that is a server answers at all; True where none is one."""
    import requests

    servers = [part for part in proxies.replace("|", ",").split(",") if part.startswith("http")]
    if not servers:
        return True
    try:
        requests.head(servers[0], timeout=REACH_S, allow_redirects=False)
    except requests.exceptions.SSLError:
        return True  # it answers; whether its certificate is good is for Go to say, which asks the system's store
    except requests.RequestException:
        return False
    return True


def _failure(tool: Tool, said: list[str]) -> Exception:
    text = "\n".join(said)
    if "no space left on device" in text:
        return store.full(tool.source, "go ran out of it")
    if ALTERED in text:
        return WrongStateError(
            f"a module of {tool.name} is not what was pinned",
            where=str(tool.source / "go.sum"),
            why=_first(said, (ALTERED,)),
            remedy="do not use it: look at the module proxy, and at `git status toolchain`",
        )
    if any(sign in text for sign in MODULES_MISSING):
        return MissingToolError(
            f"the modules of {tool.name} cannot be fetched",
            where="GOPROXY",
            why=_first(said, MODULES_MISSING),
            remedy="connect to a network with a Go module proxy and set GOPROXY if it has a name of its own",
        )
    tail = "".join(f"\n    | {line}" for line in said[-6:])
    return MissingToolError(
        f"{tool.name} could not be built",
        where=str(tool.source),
        why=f"go said:{tail}",
        remedy="`invoke platform.doctor` shows which Go was used; `git status toolchain` whether a pin was changed",
    )


def _first(said: list[str], signs: tuple[str, ...]) -> str:
    return next(line for line in said if any(sign in line for sign in signs))

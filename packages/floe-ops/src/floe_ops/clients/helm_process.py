"""One call of Helm: its own process group, a deadline, its lines as they come, and its failures made readable.

A Helm that is told to end (SIGTERM) records its release as failed; one that is killed leaves it pending. So whoever
ends it here asks first, and kills only what does not listen.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess  # nosec B404 - helm is a program
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from floe_core.errors import CredentialsRefusedError, FloeError, MissingToolError, NotReadyError, WrongStateError

from floe_ops import orphans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GRACE_S = 10.0  # what Helm gets to record that it was told to end
DRAIN_S = 5.0
_ASIDE = re.compile(r"WARNING|level=(DEBUG|INFO|WARN)|\S+\.go:\d+: |==> |\[INFO\]")
TELLING = frozenset({"lint", "test"})  # these say on their standard output what is wrong
CHANGING = frozenset({"install", "upgrade", "rollback", "uninstall"})
SHOWN = 1200  # characters of Helm's words that an error repeats


class ReleaseMissingError(WrongStateError):
    """There is no such release, or no such revision of it."""


class ReleaseBusyError(WrongStateError):
    """Somebody else changes the release right now, or a Helm that was killed left it in that state."""


@dataclass(frozen=True)
class Call:
    """What to run.

    Attributes:
        program: Helm.
        arguments: All of them; no secret among them.
        environment: The whole environment.
        deadline_s: Seconds after which Helm is told to end.
        about: What the call is about, for errors: release and namespace, or the chart.
        stdin: What Helm reads; this is how values reach it, in no file and on no command line.
        hear: Is given each line that Helm prints while it works; called from another thread.
        hear_output: Whether that goes for its standard output too, which is an answer otherwise.
        hidden: Texts that no error repeats.
    """

    program: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    deadline_s: float
    about: str
    stdin: str = ""
    hear: Callable[[str], None] | None = None
    hear_output: bool = False
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def verb(self) -> str:
        """Helm's command."""
        return self.arguments[0]


def run(call: Call) -> str:
    """Run Helm to its end and return its standard output.

    An exception that interrupts the wait, such as Ctrl-C, ends Helm too.

    Raises:
        CredentialsRefusedError: The cluster refused who asks.
        FloeError: Anything else that Helm says.
        MissingToolError: Helm cannot be started, or no cluster answers.
        NotReadyError: It did not end in time, or what it waited for did not become ready.
        ReleaseBusyError: Another operation is in progress.
        ReleaseMissingError: There is no such release.
    """
    process = _start(call)
    out: list[str] = []
    err: list[str] = []
    hear_output = call.hear if call.hear_output else None
    readers = [
        threading.Thread(target=_read, args=(process.stdout, out, hear_output), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, err, call.hear), daemon=True),
        threading.Thread(target=_feed, args=(process.stdin, call.stdin), daemon=True),
    ]
    for reader in readers:
        reader.start()
    late = False
    try:
        process.wait(call.deadline_s)
    except subprocess.TimeoutExpired:
        late = True
    finally:
        _end(process)
        for reader in readers:
            reader.join(DRAIN_S)
    told = [*out, *err] if call.verb in TELLING else err or out
    said = _masked("".join(told), call.hidden)
    if late:
        raise NotReadyError(
            f"helm {call.verb} did not end within {call.deadline_s:g} s",
            where=call.about,
            why=f"it was told to end; its last words: {_last(said) or 'none'}",
            remedy="see the pods' events, then run `invoke helm.recover`",
        )
    if process.returncode != 0:
        raise _failure(call, process.returncode, said)
    return "".join(out)


def _start(call: Call) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603  # nosec B603 - the Helm that was chosen, no shell
            [str(call.program), *call.arguments],
            env=dict(call.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,  # Ctrl-C is for this process, which then ends Helm in order
            preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - one system call, prepared before the fork
        )
    except OSError as error:
        raise MissingToolError(
            "cannot start helm", where=str(call.program), why=str(error), remedy="correct FLOE_TOOL_HELM, or unset it"
        ) from error


def _read(stream: IO[str] | None, kept: list[str], hear: Callable[[str], None] | None) -> None:
    if stream is None:
        return
    with stream:
        for line in stream:
            kept.append(line)
            if hear is not None:
                hear(line.rstrip())


def _feed(stream: IO[str] | None, text: str) -> None:
    with suppress(OSError):  # it ended before it had read all
        if stream is not None:
            stream.write(text)
            stream.close()


def _end(process: subprocess.Popen[str]) -> None:
    """See to it that the whole group is gone: credential plugins too, which Helm starts."""
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone, or (macOS) only zombies are left of it
        os.killpg(group, number)


def _masked(text: str, hidden: tuple[str, ...]) -> str:
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _last(text: str) -> str:
    """What Helm says, without its warnings and debug lines, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [
        line for line in lines if not re.match(r"WARNING|level=(DEBUG|INFO|WARN)|\S+\.go:\d+: |==> |\[INFO\]", line)
    ]
    whole = "; ".join(told or lines[-1:]).removeprefix("Error: ")
    return whole if len(whole) <= SHOWN else f"{whole[: SHOWN // 2]} … {whole[-SHOWN // 2 :]}"


@dataclass(frozen=True)
class _Reading:
    """What a phrase of Helm's means: both majors word these alike, apart from capitals."""

    phrase: str
    kind: type[FloeError]
    what: str
    remedy: str


_READINGS = (
    _Reading(
        r"cluster unreachable|connection refused|no such host|no configuration has been provided|"
        r"context .* does not exist|invalid configuration",
        MissingToolError,
        "no Kubernetes cluster answers",
        "check KUBECONFIG and its context; `invoke platform.up --target cluster` makes a cluster",
    ),
    _Reading(
        r"is forbidden: user .* cannot|unauthorized|must be logged in",  # what a policy forbids is said otherwise
        CredentialsRefusedError,
        "the cluster refused helm {verb}",
        "use a context whose user may manage the namespace, its Secrets included",
    ),
    _Reading(
        r"another operation \(install/upgrade/rollback\) is in progress|release: already exists|"
        r'secrets "sh\.helm\.release\.v1\..*" already exists',
        ReleaseBusyError,
        "the release is being changed, or a killed Helm left it so",
        "wait for who changes it; if nobody does, run `invoke helm.recover`",
    ),
    _Reading(
        r"release: not found|release not loaded|release has no \d+ version|has no deployed releases",
        ReleaseMissingError,
        "there is no such release",
        "`invoke helm.install` installs it",
    ),
    _Reading(
        r"timed out waiting|context deadline exceeded|client rate limiter wait returned an error|"
        r"resource not ready|would exceed context deadline",
        NotReadyError,
        "helm {verb} waited in vain",
        "see the pods' events and logs, correct the cause, then run `invoke helm.recover`",
    ),
)


def _failure(call: Call, code: int, said: str) -> FloeError:
    why = _last(said) or f"it ended with code {code} and said nothing"
    for reading in _READINGS:
        if re.search(reading.phrase, said, re.IGNORECASE):
            return reading.kind(
                reading.what.format(verb=call.verb), where=call.about, why=f"helm said: {why}", remedy=reading.remedy
            )
    return FloeError(
        f"helm {call.verb} failed",
        where=call.about,
        why=f"helm said: {why}",
        remedy="correct what Helm complains about"
        + ("; `invoke helm.recover` heals a release that it left behind" if call.verb in CHANGING else ""),
    )

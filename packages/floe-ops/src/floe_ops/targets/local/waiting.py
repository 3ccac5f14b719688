"""Wait until the services of a platform are ready, or say why one will not be."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from floe_ops.targets.local.probes import BrokenError, NotYetError, probe

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.targets.interface import Platform
    from floe_ops.targets.local.layout import Layout
    from floe_ops.targets.local.supervisor import Supervisor

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.4
LOG_LINES = 12
GIVEN_UP = {"FATAL", "EXITED", "STOPPED"}
PORT_TAKEN = re.compile(r"address already in use|port \S+ is already in use|bind: .*in use", re.IGNORECASE)


class PortTakenError(NotReadyError):
    """A service cannot listen because somebody else took its port in the meantime."""


def until_ready(platform: Platform, names: list[str], supervisor: Supervisor, deadline: float) -> dict[str, float]:
    """Wait for all services side by side; returns the seconds that each took, by name.

    Args:
        platform: Where they answer, and with which credentials.
        names: The services.
        supervisor: Runs them; asked whether one has given up.
        deadline: Seconds from now.

    Raises:
        PortTakenError: A service met a port that was taken.
        NotReadyError: A service gave up or was not ready in time; holds its last log lines.
    """
    start = time.monotonic()
    with ThreadPoolExecutor(len(names)) as pool:
        waits = {name: pool.submit(_wait, name, platform, supervisor, start + deadline) for name in names}
        failures = [failure for wait in waits.values() if (failure := wait.exception()) is not None]
    for failure in sorted(failures, key=lambda each: not isinstance(each, PortTakenError)):
        raise failure
    return {name: wait.result() - start for name, wait in waits.items()}


def ready(platform: Platform, names: list[str], layout: Layout) -> dict[str, NotYetError]:
    """Ask every service once, side by side; returns what is wrong by name, nothing for those that are ready."""

    def ask(name: str) -> NotYetError | None:
        try:
            probe(name, platform, layout)
        except NotYetError as error:
            return error
        return None

    with ThreadPoolExecutor(len(names)) as pool:
        answers = dict(zip(names, pool.map(ask, names), strict=True))
    return {name: answer for name, answer in answers.items() if answer}


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines of a log; none when there is no log."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - count * 400))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def _wait(name: str, platform: Platform, supervisor: Supervisor, end: float) -> float:
    """Ask `name` until it is ready; returns when that was, on the monotonic clock."""
    asking = Retrying(
        stop=stop_after_delay(max(0.0, end - time.monotonic())),
        wait=wait_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S),
        retry=retry_if_exception_type(NotYetError),
    )
    try:
        asking(_ask, name, platform, supervisor)
    except RetryError as error:
        seen = error.last_attempt.exception()
        raise _failure(name, supervisor.layout, f"not ready in time; last seen: {seen}") from None
    return time.monotonic()


def _ask(name: str, platform: Platform, supervisor: Supervisor) -> None:
    try:
        probe(name, platform, supervisor.layout)
    except BrokenError:
        return  # the service itself is there
    except NotYetError:
        process = (supervisor.processes() or {}).get(name)
        if process and process.state in {"BACKOFF", *GIVEN_UP}:
            lines = "\n".join(last_lines(supervisor.layout.logs / f"{name}.log", LOG_LINES))
            if PORT_TAKEN.search(lines):
                raise _failure(name, supervisor.layout, "its port was taken", PortTakenError) from None
            if process.state in GIVEN_UP:
                raise _failure(name, supervisor.layout, f"it ended ({process.state})") from None
        raise


def _failure(name: str, layout: Layout, why: str, kind: type[NotReadyError] = NotReadyError) -> NotReadyError:
    log = layout.logs / f"{name}.log"
    lines = last_lines(log, LOG_LINES)
    said = "".join(f"\n    | {line}" for line in lines) or " nothing"
    return kind(
        f"the service {name} did not become ready",
        where=str(log),
        why=f"{why}; its log said:{said}",
        remedy=f"see `invoke platform.logs --service {name}` and `invoke platform.doctor`",
    )

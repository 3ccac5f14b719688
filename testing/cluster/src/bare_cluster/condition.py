"""What state a cluster is in, judged by what lives and not by what was noted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from bare_cluster import network, processes, settings

if TYPE_CHECKING:
    from bare_cluster.layout import Layout
    from bare_cluster.processes import Daemons, Process
    from bare_cluster.settings import Settings

NOTED_S = 5


class State(StrEnum):
    """Of a cluster."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Condition:
    """A cluster, now.

    Attributes:
        state: In a word.
        why: What is wrong, where it is damaged.
        settings: Of the last start.
        first: The living first process of its namespaces.
        daemons: What became of them.
    """

    state: State
    why: str = ""
    settings: Settings | None = None
    first: Process | None = None
    daemons: Daemons | None = None

    @property
    def lives(self) -> bool:
        """Whether any process of it does."""
        return self.first is not None


def look(layout: Layout) -> Condition:
    """Look at the cluster in that folder.

    Raises:
        WrongStateError: Its settings cannot be read.
    """
    chosen = settings.read(layout)
    first = _first(layout)
    if chosen is None or first is None:
        return Condition(State.ABSENT, settings=chosen)
    told = processes.daemons(layout)
    state, why = judge(told, connected=network.connected(chosen.network))
    return Condition(state, why, chosen, first, told)


def judge(told: Daemons | None, *, connected: bool) -> tuple[State, str]:
    """The state of a cluster whose first process lives, and what is wrong with it."""
    if told is None:
        return State.STARTING, ""
    if told.ended:
        ends = ", ".join(f"{each.name} ended with code {each.code}" for each in told.ended)
        return State.DAMAGED, ends
    if not connected and told.stage != "link":
        return State.DAMAGED, "its link to this machine is gone"
    return (State.RUNNING if told.stage == "started" else State.STARTING), ""


def _first(layout: Layout) -> Process | None:
    """The living first process; waits where a guardian lives that has not told of it yet."""
    looking = Retrying(
        stop=stop_after_delay(NOTED_S), wait=wait_exponential(multiplier=0.05, max=0.25), retry=retry_if_result(bool)
    )
    try:
        looking(lambda: guarded(layout) and not _living(layout))
    except RetryError:  # a guardian that hangs: for the caller the same as none
        return None
    return _living(layout)


def _living(layout: Layout) -> Process | None:
    noted = processes.first(layout)
    return noted if noted is not None and noted.lives else None


def guarded(layout: Layout) -> bool:
    """Whether a guardian lives."""
    if not layout.alive.exists():
        return False
    try:
        with FileLock(layout.alive, timeout=0):
            return False
    except Timeout:
        return True

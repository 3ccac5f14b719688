"""The wait itself: looks from 50 ms, never more than 80 ms apart, to a deadline that holds whatever a server does."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError, NotReadyError
from tenacity import Retrying, retry_if_result, stop_before_delay, wait_exponential

from floe_ops.readiness.probes import PROBES, Answer, ProbeName, Prober

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.warehouse import Warehouse

FIRST_S, LONGEST_S, GROWTH = 0.05, 0.08, 1.2
"""Readiness is seen within 100 ms: the longest pause and the time of one look fit into that."""
FIRST_LOOK_S = 0.3
"""The first look may take so long even where loading used the time up: a wait that saw nothing has no diagnosis."""


@dataclass(frozen=True)
class Ready:
    """The end of a wait that went well; `answers` by probe, `seconds` of wall time."""

    url: str
    catalog: str
    seconds: float
    looks: int
    streak: int
    answers: dict[str, str]


@dataclass(frozen=True)
class Terms:
    """What is waited for, and how long.

    Attributes:
        timeout_s: The deadline, in seconds from `start`.
        streak: How many good looks in a row are wanted.
        with_catalog: False waits for health and token only, before a bootstrap.
        start: A `time.monotonic()` moment; now, unless the caller's clock runs already.
    """

    timeout_s: float
    streak: int = 1
    with_catalog: bool = True
    start: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(self.start + self.timeout_s - time.monotonic(), 0)


def wait(
    find: Callable[[], Warehouse | None],
    terms: Terms,
    tell: Callable[[str], None] = lambda _line: None,
) -> Ready:
    """Wait until every probe is good, as often in a row as `terms` say.

    Args:
        find: Where the warehouse is; asked again until it answers, since a platform may be coming up.
        terms: What is waited for, and how long.
        tell: Takes a line whenever what is waited for changes.

    Raises:
        UsageError: Words of the environment are off, or a healthy server is there and no credentials.
        CredentialsRefusedError: A healthy server refused them.
        WrongStateError: The catalog has other values.
        MissingToolError: There was no platform to ask until the deadline.
        NotReadyError: The deadline passed; holds the last answer of each probe.
    """
    watch = _Watch(find, terms, tell)
    try:
        ready = Retrying(
            retry=retry_if_result(lambda found: found is None),
            wait=wait_exponential(multiplier=FIRST_S, exp_base=GROWTH, max=LONGEST_S),
            stop=stop_before_delay(terms.left_s),
            retry_error_callback=lambda _state: None,
        )(watch.look_in_time)
        return ready or watch.give_up()
    finally:
        watch.close()


@dataclass
class _Look:
    """One look in progress; filled by its thread, read by the waiting one."""

    asking: ProbeName = "platform"
    answers: list[Answer] = field(default_factory=list)
    error: BaseException | None = None


class _Watch:
    """State of one wait."""

    def __init__(self, find: Callable[[], Warehouse | None], terms: Terms, tell: Callable[[str], None]) -> None:
        self._find = find
        self._terms = terms
        self._tell = tell
        self._told = ""
        self._prober: Prober | None = None
        self._last: dict[ProbeName, Answer] = {}
        self._in_row = 0
        self._looks = 0

    def close(self) -> None:
        """Close the kept connections."""
        if self._prober is not None:
            self._prober.close()

    def look_in_time(self) -> Ready | None:
        """One look, given up at the deadline even when a name server or a dripping answer holds it."""
        look = _Look()
        thread = threading.Thread(target=self._look, args=(look,), daemon=True)
        thread.start()
        thread.join(max(self._terms.left_s, 0.05 if self._looks else FIRST_LOOK_S))
        if thread.is_alive():
            look = _Look(answers=[*look.answers, self._unanswered(look.asking)])
        if look.error is not None:
            raise look.error
        return self._judge(look.answers)

    def _unanswered(self, probe: ProbeName) -> Answer:
        """A probe that the deadline cut short: what it last saw says more than that."""
        before = self._last.get(probe)
        return before if before and not before.good else Answer(probe, good=False, text="no answer before the deadline")

    def give_up(self) -> Ready:
        """The error of a deadline that passed."""
        failing = next((answer for answer in self._last.values() if not answer.good), None)
        if failing is not None and failing.error is not None:
            raise failing.error
        if self._prober is None and failing is not None:
            raise MissingToolError(
                f"there is no platform to wait for after {self._terms.timeout_s:g} s",
                where="FLOE_POLARIS_URL is not set, and no platform runs on this target",
                why=failing.text,
                remedy="run `invoke platform.up`, or set FLOE_POLARIS_URL to a running Polaris",
            )
        raise self._not_ready(failing)

    def _look(self, look: _Look) -> None:
        try:
            self._fill(look)
        except Exception as error:  # noqa: BLE001 - carried to the waiting thread, which raises it there
            look.error = error

    def _fill(self, look: _Look) -> None:
        prober = self._found()
        if prober is None:
            look.answers.append(Answer("platform", good=False, text="no platform is running"))
            return
        look.answers.append(
            Answer("platform", good=True, text=f"{prober.warehouse.url}, from {prober.warehouse.source}")
        )
        for probe in prober.probes():
            look.asking = PROBES[len(look.answers)]
            look.answers.append(probe())
            if not look.answers[-1].good:
                return

    def _found(self) -> Prober | None:
        """The prober of the warehouse; after a look that saw no healthy server the warehouse is looked up again."""
        healthy = self._last.get("health")
        if self._prober is not None and (healthy is None or healthy.good):
            return self._prober
        found = self._find()
        if self._prober is not None and found != self._prober.warehouse:
            self._prober.close()
            self._prober = None
        if found is not None and self._prober is None:
            self._prober = Prober(found, with_catalog=self._terms.with_catalog)
        return self._prober

    def _judge(self, answers: list[Answer]) -> Ready | None:
        self._looks += 1
        self._last = {answer.probe: answer for answer in answers}
        failing = next((answer for answer in answers if not answer.good), None)
        if failing is None:
            self._in_row += 1
            return self._ready() if self._in_row >= self._terms.streak else None
        self._in_row = 0
        if failing.final and failing.error is not None:
            raise failing.error
        line = f"waiting for {failing.probe}: {failing.text}"
        if line != self._told:
            self._told = line
            self._tell(line)
        return None

    def _ready(self) -> Ready:
        warehouse = self._warehouse()
        return Ready(
            url=warehouse.url,
            catalog=warehouse.catalog if self._terms.with_catalog else "",
            seconds=time.monotonic() - self._terms.start,
            looks=self._looks,
            streak=self._in_row,
            answers={name: answer.text for name, answer in self._last.items()},
        )

    def _warehouse(self) -> Warehouse:
        if self._prober is None:
            raise FloeError("a look that was good had no warehouse")
        return self._prober.warehouse

    def _not_ready(self, failing: Answer | None) -> NotReadyError:
        warehouse = self._warehouse()
        lines = [f"{name}: {self._last[name].text}" if name in self._last else f"{name}: not asked" for name in PROBES]
        if not self._terms.with_catalog:
            lines.pop()
        if not warehouse.signs_in:
            lines.append("credentials: none (POLARIS_CLIENT_ID and POLARIS_CLIENT_SECRET are not both set)")
        if failing is None:
            lines.append(f"good looks in a row: {self._in_row} of {self._terms.streak}")
        return NotReadyError(
            f"the catalog was not ready within {self._terms.timeout_s:g} s"
            if self._terms.with_catalog
            else f"Polaris was not ready within {self._terms.timeout_s:g} s",
            where=warehouse.url,
            why="".join(f"\n    {line}" for line in lines),
            remedy=_REMEDIES[failing.probe if failing else "platform"],
        )


_REMEDIES: dict[ProbeName, str] = {
    "platform": "give it more time with --timeout",
    "health": "start the server (`invoke platform.up` on this machine) or correct FLOE_POLARIS_URL; "
    "`invoke platform.status` and `invoke platform.logs` show what runs here",
    "token": "look into the server's log, or give it more time with --timeout",  # nosec B105 - advice
    "catalog": "run `invoke polaris.bootstrap`, which creates the catalog and verifies it",
}

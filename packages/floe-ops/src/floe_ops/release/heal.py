"""Carry the plan out: wait, roll back, say so, and look whether it helped.

One healer at a time works on a release in this checkout; those of other machines meet at Helm's own records, where
the second to make a revision is refused, looks again and finds it healed or waits for it.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import yaml
from floe_core.errors import NotReadyError, WrongStateError
from floe_core.telemetry import span

from floe_ops import project
from floe_ops.clients.helm import CHANGE_S, ReleaseBusyError, Status, Values
from floe_ops.release.states import Action, Plan, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from floe_ops.clients.helm import Helm, Revision

FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 0.05, 1.0, 1.5
KEPT = "helm.sh/resource-policy"
HOLDING_DATA = frozenset({"PersistentVolumeClaim", "PersistentVolume", "Namespace"})


class CannotHealError(WrongStateError):
    """There is no good revision to go back to; the remedy is the plan for a person, `plan` the one for programs."""

    def __init__(self, plan: Plan, *, where: str, why: str, remedy: str) -> None:
        super().__init__("the release cannot be healed", where=where, why=why, remedy=remedy)
        self.plan = plan


@dataclass(frozen=True)
class Terms:
    """How to go about it.

    Attributes:
        stuck_after_s: Seconds after which a Helm at work is held to be dead. 300 is what Helm itself waits by default;
            0 is right where nobody else can be at work, as in a namespace of one's own.
        deadline_s: Seconds for all of it, the waits included.
        dry_run: Say what would be done and change nothing.
    """

    stuck_after_s: float = CHANGE_S
    deadline_s: float = 2 * CHANGE_S
    dry_run: bool = False


@dataclass(frozen=True)
class Reinstall:
    """What to install where there is no good revision; `values` None takes those that the release was given."""

    chart: Path
    values: Values | None = None


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        release: Its name.
        namespace: Where it is.
        state: `healthy` (nothing was to be done), `absent` (there is no release), `healed`, or `planned` (a dry run).
        found: The status of the newest revision as it was found.
        revision: Its number.
        target: The revision that was gone back to.
        now: The newest revision afterwards.
        reason: Why that was done, in a sentence.
        actions: What was done, in order.
        seconds: How long it took.
    """

    release: str
    namespace: str
    state: str
    found: str
    revision: int | None
    target: int | None
    now: int | None
    reason: str
    actions: tuple[str, ...]
    seconds: float


def heal(
    helm: Helm,
    release: str,
    terms: Terms = Terms(),
    *,
    reinstall: Reinstall | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> Outcome:
    """Bring a stuck release back to its newest good revision; does nothing to one that is healthy or not there.

    Args:
        helm: For the release's namespace.
        release: Its name.
        terms: How long to wait for whom.
        reinstall: What to install where there is no good revision; without it such a release is refused.
        tell: Takes a line for every step.

    Raises:
        CannotHealError: No revision was ever deployed, or a removal did not end; nothing was changed.
        MissingToolError: No cluster answers.
        NotReadyError: It did not become healthy in time.
        FloeError: Helm failed otherwise.
    """
    with span("release.heal", **{"floe.release": release, "floe.namespace": helm.place.namespace}):
        healer = _Healer(helm, release, terms, reinstall, tell)
        if terms.dry_run:
            return healer.look()
        try:
            with helm.alone(release, terms.deadline_s):
                return healer.work()
        except ReleaseBusyError as error:
            raise healer.late(f"{error.what}: {error.why}") from error


@dataclass
class _Healer:
    """One heal's state."""

    helm: Helm
    release: str
    terms: Terms
    reinstall: Reinstall | None
    tell: Callable[[str], None]
    start: float = field(default_factory=time.monotonic)
    actions: list[str] = field(default_factory=list)
    first: Plan | None = None
    _born: dict[tuple[int, Status], float] = field(default_factory=dict)
    _told: str = ""

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(self.start + self.terms.deadline_s - time.monotonic(), 0)

    def look(self) -> Outcome:
        """What would be done."""
        plan = self._plan()
        if plan.action is Action.REFUSE:
            self._refuse(plan)
        return self._outcome("planned" if plan.action is not Action.NOTHING else "", plan)

    def work(self) -> Outcome:
        """Do what is to be done until nothing is."""
        pause = FIRST_PAUSE_S
        while True:
            plan = self._plan()
            if plan.action is Action.NOTHING:
                return self._outcome("healed" if self.actions else "", plan)
            if plan.action is Action.REFUSE:
                self._refuse(plan)
            if self.left_s <= 0:
                raise self.late(plan.reason)
            try:
                if plan.action is not Action.WAIT:
                    self._act(plan)
                    continue
            except ReleaseBusyError as error:  # another machine's healer, or somebody's Helm, was quicker
                self._say(f"{error.what}; looking again")
            else:
                self._say(plan.reason, once=str(plan.revision))
            time.sleep(min(pause, self.left_s, plan.wait_s or pause))
            pause = min(pause * GROWTH, LONGEST_PAUSE_S)

    def late(self, why: str) -> NotReadyError:
        """The error for a deadline that passed."""
        return NotReadyError(
            f"the release is not healthy after {self.terms.deadline_s:g} s",
            where=self._where,
            why=why,
            remedy="see the pods' events and logs; then run `invoke helm.recover` again, with a longer --timeout",
        )

    @property
    def _where(self) -> str:
        return f"release {self.release}, namespace {self.helm.place.namespace}"

    def _plan(self) -> Plan:
        history = self.helm.history(self.release)
        age_s, alive = self._age(history)
        plan = decide(
            history,
            age_s=age_s,
            stuck_after_s=max(self.terms.stuck_after_s, CHANGE_S) if alive else self.terms.stuck_after_s,
            reinstall=self.reinstall is not None,
        )
        self.first = self.first or plan
        return plan

    def _age(self, history: Sequence[Revision]) -> tuple[float, bool]:
        """How long the newest revision has been as it is, and whether somebody made it while we looked.

        When a removal began is not in a history, and clocks of two machines differ: what was watched counts too.
        """
        if not history:
            return 0.0, False
        newest = history[-1]
        key = (newest.number, newest.status)
        born_here = bool(self._born) and newest.number > min(number for number, _ in self._born)
        now = time.monotonic()
        seen_s = now - self._born.setdefault(key, now)
        if newest.status is Status.UNINSTALLING or born_here:
            return seen_s, born_here
        return max(seen_s, (datetime.now(UTC) - newest.updated).total_seconds()), False

    def _act(self, plan: Plan) -> None:
        helm = self.helm.within(self.left_s)
        try:
            if plan.action is Action.ROLL_BACK and plan.target is not None:
                self._say(f"{plan.reason}; rolling back to revision {plan.target}")
                helm.rollback(self.release, plan.target)
                self._done(plan, f"rolled back to revision {plan.target}")
            elif self.reinstall is not None:
                self._renew(helm, plan, self.reinstall)
        except NotReadyError as error:
            raise self.late(f"{'; '.join((*self.actions, plan.reason))}; {error.why}") from error

    def _renew(self, helm: Helm, plan: Plan, reinstall: Reinstall) -> None:
        """Remove what is there and install anew, with what it was given; never where data would go with it."""
        lost = _data_in(helm.manifest(self.release))
        if lost:
            raise CannotHealError(
                plan,
                where=self._where,
                why=f"removing the release would remove data: {', '.join(lost)}",
                remedy=f"annotate them `{KEPT}: keep` in the chart or move them out of it, or uninstall by hand",
            )
        values = reinstall.values or Values(inline=helm.values(self.release))
        self._say(f"{plan.reason}; uninstalling")
        helm.uninstall(self.release)
        self._done(plan, f"uninstalled revision {plan.revision}")
        self._say("installing")
        helm.within(self.left_s).install(self.release, reinstall.chart, values)
        self._done(plan, "installed")

    def _refuse(self, plan: Plan) -> NoReturn:
        named = {"release": self.release, "namespace": self.helm.place.namespace}
        steps = [f"{number}. {step.format(**named)}" for number, step in enumerate(plan.steps, 1)]
        raise CannotHealError(plan, where=self._where, why=plan.reason, remedy="\n         ".join(steps))

    def _outcome(self, state: str, plan: Plan) -> Outcome:
        first = self.first or plan
        return Outcome(
            release=self.release,
            namespace=self.helm.place.namespace,
            state=state or ("absent" if plan.revision is None else "healthy"),
            found=str(first.status or ""),
            revision=first.revision,
            target=first.target,
            now=plan.revision,
            reason=first.reason,
            actions=tuple(self.actions),
            seconds=round(time.monotonic() - self.start, 3),
        )

    def _say(self, line: str, once: str = "") -> None:
        if not once or once != self._told:
            self.tell(f"{self._where}: {line}")
        self._told = once

    def _done(self, plan: Plan, action: str) -> None:
        """Note it where a person looks afterwards, too: who changed a release at night is asked in the morning."""
        self.actions.append(action)
        self._say(action)
        log = project.state() / "helm" / "recover.jsonl"
        log.parent.mkdir(exist_ok=True)
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "release": self.release,
            "namespace": self.helm.place.namespace,
            "action": action,
            "plan": asdict(plan),
        }
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def _data_in(manifest: str) -> list[str]:
    """What holds data and would go with the release."""
    found = []
    for document in yaml.safe_load_all(manifest):
        if isinstance(document, dict) and document.get("kind") in HOLDING_DATA:
            meta = document.get("metadata") or {}
            if (meta.get("annotations") or {}).get(KEPT) != "keep":
                found.append(f"{document['kind']} {meta.get('name')}")
    return found

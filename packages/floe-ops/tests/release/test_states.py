"""The state machine, held against histories that a model of Helm writes: it knows what truly ran."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from floe_ops.clients.helm_model import Revision, Status
from floe_ops.release.states import Action, decide, newest_good
from hypothesis import given
from hypothesis import strategies as st

THEN = datetime(2026, 1, 1, tzinfo=UTC)
ENDINGS = ("well", "failed", "killed")
TOLD = {"install": "Install complete", "upgrade": "Upgrade complete"}
BEGUN = {"install": "Initial install underway", "upgrade": "Preparing upgrade"}
FAILED = {"install": "Release", "upgrade": "Upgrade"}
PENDING = {"install": Status.PENDING_INSTALL, "upgrade": Status.PENDING_UPGRADE}


@dataclass
class Model:
    """Helm's records as its two majors keep them, and beside them what was truly deployed."""

    major: int
    revisions: list[Revision] = field(default_factory=list)
    content: dict[int, int] = field(default_factory=dict)
    deployed: set[int] = field(default_factory=set)

    @property
    def ran(self) -> set[int]:
        """The content that really ran."""
        return {self.content[number] for number in self.deployed}

    @property
    def newest(self) -> Revision | None:
        return self.revisions[-1] if self.revisions else None

    def change(self, verb: str, ending: str) -> None:
        """An install or an upgrade; Helm refuses the latter over a pending revision."""
        if self.newest is not None and self.newest.status.pending:
            return
        number = len(self.revisions) + 1
        self.content[number] = number
        ends = {
            "well": (Status.DEPLOYED, TOLD[verb]),
            "failed": (Status.FAILED, f'{FAILED[verb]} "floe" failed: timed out'),
            "killed": (PENDING[verb], BEGUN[verb]),
        }
        if ending == "well":
            self._supersede()
            self.deployed.add(number)
        status, told = ends[ending]
        self.revisions.append(Revision(number, status, THEN, description=told))

    def roll_back(self, to: int, ending: str) -> None:
        """Helm asks nothing about either revision; a failed one marks where it began as superseded."""
        begin = self.revisions[-1]
        number = len(self.revisions) + 1
        self.content[number] = self.content[to]
        told = f"Rollback to {to}"
        if ending == "well":
            self._supersede()
            self.deployed.add(number)
            status = Status.DEPLOYED
        elif ending == "failed":
            self.revisions[-1] = replace(begin, status=Status.SUPERSEDED)
            status, told = Status.FAILED, 'Rollback "floe" failed: no matches for kind'
        else:
            status = Status.PENDING_ROLLBACK
        restores = to if self.major == 4 or told.startswith("Rollback to") else None
        self.revisions.append(Revision(number, status, THEN, description=told, restores=restores))

    def uninstall(self) -> None:
        """Begun, and killed; a pending one would be replaced by the next install, which this model has not."""
        self.revisions[-1] = replace(self.revisions[-1], status=Status.UNINSTALLING, description="Deletion in progress")

    def _supersede(self) -> None:
        self.revisions = [
            replace(one, status=Status.SUPERSEDED) if one.status is Status.DEPLOYED else one for one in self.revisions
        ]


@st.composite
def models(draw: st.DrawFn) -> Model:
    """A release that somebody installed, upgraded and rolled back with varying luck."""
    model = Model(draw(st.sampled_from((3, 4))))
    model.change("install", draw(st.sampled_from(ENDINGS)))
    for _ in range(draw(st.integers(0, 8))):
        ending = draw(st.sampled_from(ENDINGS))
        if draw(st.booleans()):
            model.roll_back(draw(st.integers(1, len(model.revisions))), ending)
        else:
            model.change("upgrade", ending)
    return model


@given(models(), st.floats(0, 1000), st.floats(0, 1000), st.booleans())
def test_the_plan_is_right_for_every_history(model: Model, age_s: float, stuck_after_s: float, reinstall: bool) -> None:
    newest = model.revisions[-1]
    plan = decide(model.revisions, age_s=age_s, stuck_after_s=stuck_after_s, reinstall=reinstall)
    assert plan.revision == newest.number
    if newest.status is Status.DEPLOYED:
        assert plan.action is Action.NOTHING
    elif newest.status.pending and age_s < stuck_after_s:
        assert plan.action is Action.WAIT
        assert plan.wait_s == pytest.approx(stuck_after_s - age_s)
    elif plan.target is not None:
        assert plan.action is Action.ROLL_BACK
        assert model.content[plan.target] in model.ran
    else:
        assert plan.action is (Action.REINSTALL if reinstall else Action.REFUSE)


@given(models())
def test_the_newest_good_revision_is_found(model: Model) -> None:
    """Its content ran, and none that ran is newer, save one that nobody can tell from a rollback that was killed."""
    good = newest_good(model.revisions)
    if good is not None:
        assert model.content[good.number] in model.ran
    for number in model.deployed:
        assert (good is not None and good.number >= number) or _veiled(model, number)


def _veiled(model: Model, number: int) -> bool:
    """A rollback to what had failed, which went well, followed by a rollback that failed."""
    after = model.revisions[number].description if number < len(model.revisions) else ""
    return model.content[number] != number and after.startswith("Rollback") and "failed" in after


@given(models(), st.booleans())
def test_healing_ends(model: Model, luck: bool) -> None:
    """Every plan carried out leads to one that asks for nothing; a rollback may fail or be killed on the way."""
    hope = newest_good(model.revisions) is not None
    for turn in range(4):
        plan = decide(model.revisions, age_s=1, stuck_after_s=0)
        if plan.action is not Action.ROLL_BACK:
            break
        assert plan.target is not None
        model.roll_back(plan.target, "well" if luck or turn == 2 else ENDINGS[1 + turn % 2])
    assert plan.action is (Action.NOTHING if hope else Action.REFUSE)


@given(models(), st.booleans())
def test_a_removal_is_never_undone(model: Model, reinstall: bool) -> None:
    model.uninstall()
    plan = decide(model.revisions, age_s=10, stuck_after_s=5, reinstall=reinstall)
    assert plan.action is (Action.REINSTALL if reinstall else Action.REFUSE)
    assert decide(model.revisions, age_s=1, stuck_after_s=5).action is Action.WAIT


def test_no_release_and_a_removed_one_ask_for_nothing() -> None:
    gone = Revision(1, Status.UNINSTALLED, THEN, description="Uninstallation complete")
    for history in ((), (gone,)):
        plan = decide(history, age_s=0, stuck_after_s=0)
        assert (plan.action, plan.revision) == (Action.NOTHING, None)


def test_what_was_removed_before_is_no_good_revision_for_what_came_after() -> None:
    history = (
        Revision(1, Status.SUPERSEDED, THEN, description="superseded by new release"),
        Revision(2, Status.PENDING_INSTALL, THEN, description="Initial install underway"),
    )
    assert newest_good(history) is None
    assert decide(history, age_s=1, stuck_after_s=0).action is Action.REFUSE


@pytest.mark.parametrize("told", ["Preparing upgrade", 'Upgrade "floe" failed: timed out'])
def test_a_superseded_revision_that_failed_is_no_good_one(told: str) -> None:
    """A rollback that fails marks the killed upgrade that it began from as superseded."""
    history = (
        Revision(1, Status.SUPERSEDED, THEN, description="Install complete"),
        Revision(2, Status.SUPERSEDED, THEN, description=told),
        Revision(3, Status.FAILED, THEN, description='Rollback "floe" failed: no matches for kind'),
    )
    good = newest_good(history)
    assert good is not None
    assert good.number == 1


def test_of_a_rollback_to_what_is_no_longer_kept_it_is_only_likely_that_it_ran() -> None:
    pruned = Revision(12, Status.SUPERSEDED, THEN, description="Rollback to 1", restores=1)
    failed = Revision(13, Status.FAILED, THEN, description='Rollback "floe" failed: no matches for kind')
    good = newest_good((pruned, failed))
    assert good is pruned
    certain = Revision(11, Status.SUPERSEDED, THEN, description="Upgrade complete")
    assert newest_good((certain, pruned, failed)) is certain

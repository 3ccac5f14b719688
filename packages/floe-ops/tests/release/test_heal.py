"""The healer's own course, with a Helm that answers what a test wrote; the real ones are in tests/e2e."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import NotReadyError
from floe_ops.clients.helm import Place, ReleaseBusyError, Status, Values
from floe_ops.clients.helm_model import Revision
from floe_ops.release import CannotHealError, Reinstall, Terms, heal

CLAIM = "kind: PersistentVolumeClaim\nmetadata: {name: data}\n"
KEPT = 'kind: PersistentVolumeClaim\nmetadata: {name: data, annotations: {"helm.sh/resource-policy": keep}}\n'


def revision(number: int, status: Status, told: str = "Upgrade complete", *, age_s: float = 1000) -> Revision:
    return Revision(number, status, datetime.now(UTC) - timedelta(seconds=age_s), description=told)


GOOD = revision(1, Status.DEPLOYED, "Install complete")
STUCK = revision(2, Status.PENDING_UPGRADE, "Preparing upgrade")


@dataclass
class Written:
    """Gives one history after another, the last one for ever; a rollback goes to the next."""

    histories: list[tuple[Revision, ...]]
    refusals: int = 0
    manifested: str = ""
    did: list[str] = field(default_factory=list)
    place: Place = field(default_factory=lambda: Place("n"))

    def history(self, _release: str) -> tuple[Revision, ...]:
        return self.histories.pop(0) if len(self.histories) > 1 else self.histories[0]

    def within(self, _deadline_s: float) -> Written:
        return self

    @contextmanager
    def alone(self, _release: str, _deadline_s: float = 0) -> Iterator[None]:
        yield

    def rollback(self, _release: str, to: int) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ReleaseBusyError("the release is being changed")
        self.did.append(f"rollback {to}")
        newest = self.histories[0][-1]
        self.histories = [(*self.histories[0], revision(newest.number + 1, Status.DEPLOYED, f"Rollback to {to}"))]

    def manifest(self, _release: str) -> str:
        return self.manifested

    def values(self, _release: str) -> dict[str, Any]:
        return {"kept": "value"}

    def uninstall(self, _release: str) -> None:
        self.did.append("uninstall")

    def install(self, _release: str, chart: Path, values: Values) -> None:
        self.did.append(f"install {chart} {values.inline}")
        self.histories = [(GOOD,)]


def healed(helm: Written, terms: Terms = Terms(0, 5), **more: Any) -> Any:  # noqa: B008 - frozen
    return heal(helm, "floe", terms, **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    return tmp_path / ".floe"


def test_what_is_healthy_or_not_there_is_left_alone() -> None:
    for history, outcome in (((), "absent"), ((GOOD,), "healthy")):
        helm = Written([history])
        assert healed(helm).state == outcome
        assert helm.did == []


def test_it_tells_and_logs_what_it_did_and_why(state: Path) -> None:
    told: list[str] = []
    helm = Written([(GOOD, STUCK)])
    outcome = healed(helm, tell=told.append)
    assert (outcome.state, outcome.found, outcome.revision, outcome.target, outcome.now) == (
        ("healed", "pending-upgrade", 2, 1, 3)
    )
    assert told[0] == (
        "release floe, namespace n: revision 2 is pending-upgrade; "
        "revision 1 is the newest that was deployed; rolling back to revision 1"
    )
    logged = json.loads((state / "helm" / "recover.jsonl").read_text())
    assert (logged["action"], logged["plan"]["reason"]) == ("rolled back to revision 1", outcome.reason)


def test_a_young_one_is_waited_for_and_left_alone_when_it_ends_well() -> None:
    young = revision(2, Status.PENDING_UPGRADE, age_s=1)
    helm = Written([(GOOD, young), (GOOD, young), (GOOD, replace(young, status=Status.DEPLOYED))])
    assert healed(helm, Terms(300, 5)).state == "healthy"
    assert helm.did == []


def test_a_young_one_that_stays_is_healed_once_it_is_old() -> None:
    helm = Written([(GOOD, revision(2, Status.PENDING_UPGRADE, "Preparing upgrade", age_s=0))])
    assert healed(helm, Terms(0.3, 5)).state == "healed"


def test_a_clock_ahead_of_ours_holds_nothing_up_for_ever() -> None:
    """A revision of the future is as old as it was watched."""
    helm = Written([(GOOD, revision(2, Status.PENDING_UPGRADE, "Preparing upgrade", age_s=-3600))])
    assert healed(helm, Terms(0.3, 5)).state == "healed"


def test_what_was_begun_while_it_looked_is_somebodys_work_whatever_the_terms_say() -> None:
    """The other machine's healer was quicker: its rollback is not rolled back."""
    theirs = revision(3, Status.PENDING_ROLLBACK, "Rollback to 1", age_s=0)
    histories = [(GOOD, STUCK), (GOOD, STUCK, theirs), (GOOD, STUCK, replace(theirs, status=Status.DEPLOYED))]
    helm = Written(histories, refusals=1)
    assert healed(helm).state == "healthy"
    assert helm.did == []


def test_it_ends_at_the_deadline_and_says_what_it_saw() -> None:
    helm = Written([(GOOD, STUCK)], refusals=1000)
    with pytest.raises(NotReadyError, match=r"not healthy after 0\.3 s") as caught:
        healed(helm, Terms(0, 0.3))
    assert "revision 2 is pending-upgrade" in caught.value.why


def test_it_reinstalls_with_the_values_that_helm_kept() -> None:
    failed = revision(1, Status.FAILED, 'Release "floe" failed: timed out')
    helm = Written([(failed,)], manifested=KEPT)
    outcome = healed(helm, reinstall=Reinstall(Path("chart")))
    assert helm.did == ["uninstall", "install chart {'kept': 'value'}"]
    assert outcome.actions == ("uninstalled revision 1", "installed")


def test_it_does_not_reinstall_where_data_would_go_with_the_release() -> None:
    failed = revision(1, Status.FAILED, 'Release "floe" failed: timed out')
    helm = Written([(failed,)], manifested=f"{KEPT}---\n{CLAIM}")
    with pytest.raises(CannotHealError) as caught:
        healed(helm, reinstall=Reinstall(Path("chart")))
    assert "PersistentVolumeClaim data" in caught.value.why
    assert helm.did == []


def test_a_good_revision_is_gone_back_to_even_when_a_reinstall_is_allowed() -> None:
    helm = Written([(GOOD, STUCK)])
    healed(helm, reinstall=Reinstall(Path("chart")))
    assert helm.did == ["rollback 1"]


def test_without_a_good_one_the_plan_names_release_and_namespace() -> None:
    helm = Written([(revision(1, Status.PENDING_INSTALL, "Initial install underway"),)])
    with pytest.raises(CannotHealError) as caught:
        healed(helm)
    assert caught.value.exit_code == 4
    assert "helm uninstall floe --namespace n --wait" in caught.value.remedy
    assert caught.value.plan.revision == 1

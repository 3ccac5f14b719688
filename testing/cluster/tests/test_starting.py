"""Refusals, and the order of a start, with the cluster itself replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from bare_cluster import condition, ending, images, machine, network, starting
from bare_cluster import settings as kept
from bare_cluster.condition import Condition, State
from bare_cluster.layout import Layout
from bare_cluster.processes import Process
from bare_cluster.progress import Stages
from bare_cluster.settings import Settings
from bare_cluster.starting import Wish
from floe_core.errors import MissingToolError, NotReadyError, UsageError, WrongStateError
from floe_ops.targets import lease

Archives = Callable[..., Path]
PROGRAM = Path("/tools/kubernetes")


@pytest.fixture
def wish(archive: Archives) -> Wish:
    notes = [{"digest": "sha256:1", "annotations": {images.FULL_NAME: f"localhost/{name}:1"}} for name in images.ADDONS]
    return Wish(PROGRAM, [archive("all.tar", *notes)], 2, 4)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to a cluster that is none."""
    done: list[str] = []
    monkeypatch.setattr(machine, "check", lambda _state, **_how: None)
    monkeypatch.setattr(network, "routes", list)
    monkeypatch.setattr(network, "interfaces", list)
    monkeypatch.setattr(starting, "_launch", lambda _layout: done.append("launched"))
    monkeypatch.setattr(starting, "_make_ready", lambda *_all: done.append("made ready"))
    return done


def seen(monkeypatch: pytest.MonkeyPatch, *found: Condition) -> None:
    """What looks at the cluster find, one after the other."""
    looks = iter(found)
    monkeypatch.setattr(condition, "look", lambda _layout: next(looks))


def test_images_that_a_cluster_is_made_of_must_be_there(place: Layout, archive: Archives, quiet: list[str]) -> None:
    one = archive("one.tar", {"digest": "sha256:1", "annotations": {images.FULL_NAME: "localhost/pause:1"}})
    with pytest.raises(UsageError, match="images that a cluster is made of") as refused:
        starting.up(place, Wish(PROGRAM, [one], 2, 4), Stages())
    assert refused.value.why == "missing: coredns, local-path-provisioner, busybox"


def test_one_is_started_where_none_is(
    place: Layout, wish: Wish, quiet: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = Condition(State.STARTING, "", settings, Process(1, 0.0))
    seen(monkeypatch, Condition(State.ABSENT), Condition(State.ABSENT), living)
    assert starting.up(place, wish, Stages()) == settings
    assert quiet == ["launched", "made ready"]
    assert place.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert lease.living(place.owners) == {lease.DESK}
    made = kept.read(place)
    assert made is not None
    assert (made.pause, made.program, made.cpus) == ("localhost/pause:1", PROGRAM, 2)


def test_one_that_half_runs_is_replaced_with_the_addresses_of_its_objects(
    place: Layout, wish: Wish, quiet: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = Condition(State.DAMAGED, "etcd ended with code 1", settings, Process(1, 0.0))
    seen(monkeypatch, damaged, Condition(State.STARTING, "", settings, Process(1, 0.0)))
    starting.up(place, wish, Stages())
    assert quiet == ["launched", "made ready"]
    made = kept.read(place)
    assert made is not None
    assert made.slot == settings.slot


def test_one_that_runs_or_starts_is_joined(
    place: Layout, wish: Wish, quiet: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in (State.RUNNING, State.STARTING):
        seen(monkeypatch, Condition(state, "", settings, Process(1, 0.0)))
        starting.up(place, wish, Stages())
    assert quiet == ["made ready", "made ready"]
    assert lease.living(place.owners) == {lease.DESK}


def test_one_with_other_settings_is_not_joined(
    place: Layout, wish: Wish, quiet: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = settings.model_copy(update={"memory_gib": 8})
    seen(monkeypatch, Condition(State.RUNNING, "", other, Process(1, 0.0)))
    with pytest.raises(WrongStateError, match="other settings") as refused:
        starting.up(place, wish, Stages())
    assert "2 CPUs and 8 GiB, and 2 and 4" in refused.value.why
    assert lease.living(place.owners) == set()


def test_a_first_process_that_does_not_come_is_told_with_the_guardians_words(
    place: Layout, wish: Wish, quiet: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "PROCESS_S", 0.1)
    monkeypatch.setattr(condition, "look", lambda _layout: Condition(State.ABSENT))
    monkeypatch.setattr(
        starting, "_launch", lambda at: (at.logs / "guardian.log").write_text("no rights\n", encoding="utf-8")
    )
    with pytest.raises(NotReadyError, match="did not start") as late:
        starting.up(place, wish, Stages())
    assert "no rights" in late.value.why


def test_two_at_once_take_turns(place: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with starting.locked(place):
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert entered.wait(10)
        monkeypatch.setattr(starting, "LOCK_S", 0.1)
        with pytest.raises(NotReadyError, match="another call"), starting.locked(place):
            pass
    finally:
        leave.set()
        other.join()
    with starting.locked(place):
        pass


def test_what_does_not_run_cannot_be_used() -> None:
    with pytest.raises(MissingToolError, match="does not run"):
        starting._whole(Condition(State.ABSENT))


def test_ending_nothing_is_no_error_and_data_stays_until_it_is_wiped(place: Layout) -> None:
    (place.etcd / "data").touch()
    (place.run / "plan.json").touch()
    ending.end(place)
    assert not place.run.exists()
    assert (place.etcd / "data").exists()
    ending.end(place, wipe=True)
    assert not place.state.exists()
    ending.end(place, wipe=True)


def test_settings_that_nobody_can_read_can_be_wiped(place: Layout) -> None:
    place.settings.write_text("{", encoding="utf-8")
    with pytest.raises(WrongStateError, match="settings"):
        ending.end(place)
    ending.end(place, wipe=True)
    assert not place.state.exists()
